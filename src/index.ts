import { installSources } from "./worker/sources/install.ts";

export { Client } from "./client/client.ts";
export type { ClientOptions, ConnectOptions } from "./client/options.ts";
export type { ClientData } from "./client/remote-data/client-data.ts";
export { client, setupClient } from "./client/default-client.ts";
export type {
  ByteRange,
  PipelineOptions,
  PipelineProgress,
  SaveProgress,
} from "./client/remote-data/data-access.ts";
export type {
  AdoptReport,
  DataInfo,
  DeleteReport,
  PipelineReport,
  Replica,
} from "./client/remote-data/data-info.ts";
export type { DataTarget } from "./client/remote-data/data-target.ts";
export type { PlacementExplanation } from "./client/jobs/explanation.ts";
export { registerError, RemoteError } from "./client/errors.ts";
export { asCompleted, type Completed } from "./client/jobs/as-completed.ts";
export type { Gathered } from "./client/jobs/gather.ts";
export type { Job, JobStatus } from "./client/jobs/job.ts";
export type { WithJobs } from "./client/calls/job-argument.ts";
export type { JobMap } from "./client/jobs/job-map.ts";
export type { NodeStatus } from "./client/listings.ts";
export type { Output, OutputOption, Sink } from "./client/output/output.ts";
export {
  RemoteData,
  type RemoteDataOptions,
  type SaveOptions,
  type StreamOptions,
} from "./client/remote-data/remote-data.ts";
export type { RemoteItems, Returned } from "./client/jobs/remote-items.ts";
export type { Rpc } from "./client/calls/rpc.ts";
export type { ModulesOption } from "./capture/capture.ts";
export { closure } from "./capture/closure.ts";
export { registerCodec, type Codec } from "./codec/codec.ts";
export type { DataFacts, DataType, Sha256 } from "./core/data.ts";
export type { DataUrl } from "./core/data-url.ts";
export { KitchenError, type ErrorCode } from "./core/errors.ts";
export type { JobId } from "./core/ids.ts";
export type { JobState } from "./core/job-states.ts";
export type { FunctionInfo, InputForm, JsonSchema } from "./core/messages.ts";
export { currentJob, type CurrentJob } from "./worker/child/current-job.ts";

// Results may refer to modules of other programs.
installSources();
