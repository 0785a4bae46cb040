/**
 * Data that stay on the cluster. The guide: [data.md](../data.md).
 *
 * @module Data
 */
export {
  RemoteData,
  type RemoteDataOptions,
  type SaveOptions,
  type DataTarget,
  type SaveProgress,
  type StreamOptions,
  type ByteRange,
  type ClientData,
  type DataInfo,
  type DataFacts,
  type Replica,
  type PipelineOptions,
  type PipelineProgress,
  type PipelineReport,
  type DeleteReport,
  type AdoptReport,
  type DataUrl,
  type DataType,
  type Sha256,
} from "../../../src/index.ts";
