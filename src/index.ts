import { installSources } from "./worker/sources/install.ts";

export { Client } from "./client/client.ts";
export type { ClientOptions, ConnectOptions } from "./client/options.ts";
export type { ClientData } from "./client/client-data.ts";
export { client, setupClient } from "./client/default-client.ts";
export type { ByteRange, PipelineOptions, PipelineProgress, SaveProgress } from "./client/data-access.ts";
export type { AdoptReport, DataInfo, DeleteReport, PipelineReport, Replica } from "./client/data-info.ts";
export type { DataTarget } from "./client/data-target.ts";
export type { PlacementExplanation } from "./client/explanation.ts";
export { registerError, RemoteError } from "./client/errors.ts";
export { asCompleted, type Completed } from "./client/as-completed.ts";
export type { Gathered } from "./client/gather.ts";
export type { Job, JobStatus } from "./client/job.ts";
export type { WithJobs } from "./client/job-argument.ts";
export type { JobMap } from "./client/job-map.ts";
export type { NodeStatus } from "./client/listings.ts";
export type { Output, OutputOption, Sink } from "./client/output.ts";
export {
  RemoteData,
  type RemoteDataOptions,
  type SaveOptions,
  type StreamOptions,
} from "./client/remote-data.ts";
export type { RemoteItems, Returned } from "./client/remote-items.ts";
export type { Rpc } from "./client/rpc.ts";
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
