/**
 * Everything that crosses between processes, as discriminated unions. `docs/protocol.md` has a heading for each;
 * `src/codec/` turns them into bytes and parses them back. Fields that hold user's values are bytes here and stay
 * unopened everywhere but in the client and in the worker.
 */
import type { Sha256 } from "./data.ts";
import type { DataUrl } from "./data-url.ts";
import type { JobId, NodeName, UnitHash } from "./ids.ts";
import type { FinalState } from "./job-states.ts";
import type { Progress } from "./progress.ts";
import type { TraceContext } from "./trace.ts";

/** What a job asks a worker to do. The client writes it, the store keeps it, a worker reads it. */
export interface JobSpec {
  readonly namespace: string;
  /** The registered function's name; `null` for a captured function. */
  readonly name: string | null;
  /** For people: `test.add`, or the captured function's own name. */
  readonly label: string;
  /** The code units that `fn` and `args` refer to. */
  readonly units: readonly UnitHash[];
  readonly codec: string;
  /** The captured function as a graph; `null` for a registered one. */
  readonly fn: Uint8Array | null;
  /** The array of arguments, encoded by `codec`. */
  readonly args: Uint8Array;
  /** 0: no deadline. */
  readonly timeoutMs: number;
  /** How many times an attempt that throws is followed by another. */
  readonly retries: number;
  /** Whether output is sent to the client that submits, and not only to the log. */
  readonly streamsOutput: boolean;
  /** How long after an attempt that threw the next one may begin. */
  readonly retryDelayMs: number;
  /** How long after its submit an attempt may begin. 0: at any time. */
  readonly ttlMs: number;
  /** Whether it may be begun again when its worker or its node is lost. */
  readonly isIdempotent: boolean;
  /** The jobs whose results stand among its arguments, each once: it waits for them. */
  readonly after: readonly JobId[];
  /** The trace that the call belongs to; `null`: none. */
  readonly trace: TraceContext | null;
}

/** One call on its way to a node. */
export interface SubmittedJob {
  readonly id: JobId;
  readonly queue: string;
  readonly priority: number;
  /** A {@link JobSpec} as bytes. */
  readonly spec: Uint8Array;
  /** The data that its function and arguments point to, each once: the job had best run where that lies. */
  readonly inputs: readonly DataUrl[];
}

/** The body of `POST /v1/jobs` and `POST /v1/instant`. */
export interface Submission {
  readonly client: string;
  /** Bytes of those units that the client has not sent to this node before. */
  readonly units: ReadonlyMap<UnitHash, Uint8Array>;
  readonly jobs: readonly SubmittedJob[];
}

/** What a call came to. */
export type Outcome =
  | { readonly type: "value"; readonly codec: string; readonly bytes: Uint8Array }
  /** A streamed result has ended: its items were read while it ran, and this is what its generator returned. */
  | { readonly type: "ended"; readonly codec: string; readonly bytes: Uint8Array }
  | StoredOutcome
  | { readonly type: "error"; readonly error: WireError };

/** A value, or what a generator returned, that is too large for the store: it is data of the cluster. */
export interface StoredOutcome {
  readonly type: "stored";
  readonly codec: string;
  readonly url: DataUrl;
  /** In bytes. */
  readonly size: number;
  readonly sha256: Sha256;
  /** A streamed result has ended with it. */
  readonly isEnded: boolean;
}

/** An error on the wire: enough in plain fields for people and `problem+json`, the whole of it in `detail`. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** One of this project's codes when the error is its own, else `null`. */
  readonly code: string | null;
  /** What was thrown, captured; `null` when the node made the error, or when what was thrown could not travel. */
  readonly detail: Uint8Array | null;
  /** The text of the line that threw, where the worker knows it. */
  readonly source: string | null;
}

/** A piece of a job's output. */
export interface OutputEvent {
  readonly type: "output";
  readonly jobId: JobId;
  readonly attempt: number;
  /** Counts a job's pieces within an attempt, from 0. */
  readonly index: number;
  readonly stream: "stdout" | "stderr";
  readonly atMs: number;
  readonly bytes: Uint8Array;
  /** The log was cut here, which this piece says: what else is missing of the output will not come. */
  readonly isCut?: boolean;
}

/** What a node tells a client on its event stream and in the answer to an instant call. */
export type ClientEvent =
  | OutputEvent
  | {
      readonly type: "finished";
      readonly jobId: JobId;
      readonly state: FinalState;
      readonly outcome: Uint8Array;
    }
  /** The function returned a generator: its items can be read now. */
  | { readonly type: "streaming"; readonly jobId: JobId; readonly attempt: number }
  /** How far the job says that it is. */
  | {
      readonly type: "progress";
      readonly jobId: JobId;
      readonly attempt: number;
      readonly progress: Progress;
    }
  /** The client asked for a job that nobody knows. */
  | { readonly type: "unknown"; readonly jobId: JobId }
  /** Nothing happened for a while; the connection lives. */
  | { readonly type: "alive" };

/** A reader's wish for items of a streamed result: the body of `POST /v1/jobs/:id/items`. */
export interface ItemsRequest {
  readonly client: string;
  /** The attempt whose items are meant; 0 for whichever streams. */
  readonly attempt: number;
  /** The index of the first item wanted; those before it have arrived. */
  readonly from: number;
  /** How long the answer may wait for an item, in ms. */
  readonly waitMs: number;
  /** The reader wants no more: the generator is to return. */
  readonly isOver: boolean;
}

/** The answer to an {@link ItemsRequest}: items in order, from the one asked for on. */
export interface ItemsAnswer {
  readonly codec: string;
  readonly items: readonly Uint8Array[];
  /** No item will follow these. */
  readonly isComplete: boolean;
}

/** What a node says to one of its workers. */
export type ToWorker =
  | { readonly type: "start"; readonly settings: WorkerSettings }
  | { readonly type: "unit"; readonly hash: UnitHash; readonly bytes: Uint8Array }
  /** The unit is used no more; it will be sent again before a run needs it. */
  | { readonly type: "forget"; readonly hash: UnitHash }
  | {
      readonly type: "run";
      readonly run: number;
      readonly jobId: JobId;
      readonly attempt: number;
      readonly spec: Uint8Array;
      /** What the jobs came to that the spec names in `after`, in its order: an {@link Outcome} as bytes each. */
      readonly outcomes: readonly Uint8Array[];
    }
  | { readonly type: "cancel"; readonly run: number; readonly reason: string }
  /** Do not begin the run; it goes on when it has begun. */
  | { readonly type: "recall"; readonly run: number }
  /** Of a run that streams: the reader has all items before `from`; when it is over, it wants no more. */
  | { readonly type: "read"; readonly run: number; readonly from: number; readonly isOver: boolean }
  | { readonly type: "describe"; readonly request: number; readonly namespace: string }
  | { readonly type: "declare"; readonly request: number; readonly namespaces: readonly string[] };

export interface WorkerSettings {
  /** Ends a job's output on each stream; only the node and this worker know it. */
  readonly secret: string;
  readonly node: { readonly name: NodeName; readonly url: string };
  /** How code in jobs reaches its own node. */
  readonly access: NodeAccess;
  readonly modules: readonly string[];
  /** A larger result becomes a file, if results of this worker are kept at all; in bytes. */
  readonly inlineResultBytes: number;
  /** Results go into the store, and not just to a caller who waits. */
  readonly keepsResults: boolean;
  /** No captured functions anywhere. */
  readonly isArbitraryBanned: boolean;
}

/** How a worker reaches its own node over HTTP, which need not be how others do. */
export interface NodeAccess {
  readonly url: string;
  readonly token: string | null;
  /** Whether the node keeps data of others. */
  readonly takesData: boolean;
}

/** What a worker says to its node. */
export type FromWorker =
  | { readonly type: "ready"; readonly namespaces: readonly NamespaceInfo[] }
  | { readonly type: "module-failed"; readonly message: string }
  /** The run's result is a generator, whose items follow. */
  | { readonly type: "streaming"; readonly run: number }
  | { readonly type: "item"; readonly run: number; readonly bytes: Uint8Array }
  | { readonly type: "progress"; readonly run: number; readonly progress: Progress }
  | { readonly type: "finished"; readonly run: number; readonly result: RunResult }
  /** The run was cancelled or recalled before it began. */
  | { readonly type: "skipped"; readonly run: number }
  /** A run has waited for a while, and still waits, for jobs that it called. */
  | { readonly type: "waiting"; readonly run: number }
  /** What a run printed after its end: nobody's output. */
  | { readonly type: "stray"; readonly text: string }
  | {
      readonly type: "described";
      readonly request: number;
      readonly functions: readonly FunctionInfo[] | null;
    }
  | { readonly type: "declared"; readonly request: number; readonly declarations: string | null };

/** What a run came to. */
export interface RunResult {
  /** An {@link Outcome} as bytes. */
  readonly outcome: Uint8Array;
  readonly isError: boolean;
  /** How long the function ran, by the worker's clock. */
  readonly ranMs: number;
}

/** What modules registered under one name. */
export interface NamespaceInfo {
  readonly name: string;
  readonly isArbitraryAllowed: boolean;
  readonly functions: readonly string[];
}

/** A registered function as `c.functions()` shows it. */
export interface FunctionInfo {
  /** Where it is registered. */
  readonly namespace: string;
  /** What it is called by. */
  readonly name: string;
  /** The parameters as the function has them, without types: `a, b = 1`. */
  readonly parameters: string;
  /** The doc comment's text without its stars; empty when there is none. */
  readonly doc: string;
  /** What it takes, as far as its schema or its parameters tell. */
  readonly input: JsonSchema;
  /** What `input` describes. */
  readonly inputForm: InputForm;
  /** It gives a generator, as far as its own form tells. */
  readonly isGenerator: boolean;
}

/** What a function's `input` describes: an object with its arguments by name, its one argument, or the list of them. */
export type InputForm = (typeof INPUT_FORMS)[number];
export const INPUT_FORMS = ["by-name", "one-argument", "list"] as const;

/** A JSON Schema of draft 2020-12; without any keyword, it takes everything. */
export type JsonSchema = Readonly<Record<string, unknown>>;
