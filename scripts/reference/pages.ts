/** The pages of docs/reference, and which exports of the package stand on which of them, in their order. */

export interface Page {
  readonly file: string;
  readonly title: string;
  /** What the page begins with. */
  readonly text: string;
  readonly names: readonly string[];
}

/** What users import, and where it is written. */
export const ENTRY_POINTS: Readonly<Record<string, string>> = {
  kitchensink: "src/index.ts",
  "kitchensink/functions": "src/functions.ts",
  "kitchensink/capture": "src/capture.ts",
  "kitchensink/testing": "src/testing.ts",
};

/** How members are headed, where the name of the class or interface does not tell how one comes by them. */
export const SPOKEN: Readonly<Record<string, string>> = {
  ClientData: "client.data",
  CurrentJob: "currentJob()",
  RunningNode: "node",
};

export const PAGES: readonly Page[] = [
  {
    file: "client.md",
    title: "Client",
    text: "What calls functions on a cluster, how it calls them, and what it tells of the cluster.",
    names: [
      "Client",
      "setupClient",
      "client",
      "ClientOptions",
      "ConnectOptions",
      "OutputOption",
      "Sink",
      "ModulesOption",
      "Rpc",
      "NodeStatus",
      "FunctionInfo",
      "InputForm",
      "JsonSchema",
    ],
  },
  {
    file: "jobs.md",
    title: "Jobs",
    text: "A call on its way, many of them, what they give, and what a function can learn of the job it runs in.",
    names: [
      "Job",
      "JobMap",
      "RemoteItems",
      "asCompleted",
      "Completed",
      "currentJob",
      "CurrentJob",
      "JobId",
      "JobStatus",
      "JobState",
      "Output",
      "PlacementExplanation",
      "WithJobs",
      "Returned",
      "Gathered",
    ],
  },
  {
    file: "errors.md",
    title: "Errors",
    text: "What is thrown where a job is awaited. Each code with its cause and the way out: [errors.md](../errors.md).",
    names: ["KitchenError", "ErrorCode", "RemoteError", "registerError"],
  },
  {
    file: "data.md",
    title: "Data",
    text: "Data that stay on the cluster. The guide: [data.md](../data.md).",
    names: [
      "RemoteData",
      "RemoteDataOptions",
      "SaveOptions",
      "DataTarget",
      "SaveProgress",
      "StreamOptions",
      "ByteRange",
      "ClientData",
      "DataInfo",
      "DataFacts",
      "Replica",
      "PipelineOptions",
      "PipelineProgress",
      "PipelineReport",
      "DeleteReport",
      "AdoptReport",
      "DataUrl",
      "DataType",
      "Sha256",
    ],
  },
  {
    file: "functions.md",
    title: "Registered functions",
    text: "What a `--module` file registers functions with. The guide: [functions.md](../functions.md).",
    names: ["namespace", "define", "Namespace", "StandardSchema"],
  },
  {
    file: "capture.md",
    title: "Capturing and codecs",
    text: "How functions and values become bytes. The guide: [closures.md](../closures.md).",
    names: ["closure", "capture", "revive", "CaptureOptions", "registerCodec", "Codec"],
  },
  {
    file: "testing.md",
    title: "Testing",
    text: "A cluster for tests, with real worker processes.",
    names: ["startCluster", "ClusterOptions", "Cluster"],
  },
];
