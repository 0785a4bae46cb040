/** What goes into a store and comes out of it: the rows and replies of `port.ts`. */
import type { DataUrl } from "../core/data-url.ts";
import type { JobId, NodeName, UnitHash } from "../core/ids.ts";
import type { FinalState, JobState } from "../core/job-states.ts";
import type { Progress } from "../core/progress.ts";

export interface SubmitBatch {
  readonly watcher: NodeName;
  readonly jobs: readonly NewJob[];
  readonly units: ReadonlyMap<UnitHash, Uint8Array>;
  /** Every unit that the jobs need, whether its bytes are in `units` or should be in the store already. */
  readonly needs: readonly UnitHash[];
}

export interface NewJob {
  readonly id: JobId;
  readonly queue: string;
  /** -1000 (last) to 1000 (first); 0 is usual. */
  readonly priority: number;
  /** What people call it: `test.add`, or a captured function's name. */
  readonly label: string;
  readonly spec: Uint8Array;
  /** For a job that is offered to certain nodes, instead of waiting in its queue, which is one that all share. */
  readonly offers?: Offers;
  /** How the job was placed, for `explain`: opaque here. */
  readonly placement?: string;
  /** The data that the job works on, so that it can be placed anew. */
  readonly inputs?: readonly DataUrl[];
  /** The job ends as failed with this outcome, at once. Its row answers `queued`; its watchers get no event. */
  readonly refusal?: Uint8Array;
  /** It may be begun for so long from now on. A job that runs is not touched by it. Default: for ever. */
  readonly ttlMs?: number;
  /** It is never begun again when its node is lost after it was claimed. Default: false. */
  readonly isAtMostOnce?: boolean;
  /** It is *blocked* until it is released: it waits for these jobs, and in no queue. Has no `offers`. */
  readonly after?: readonly JobId[];
}

/**
 * Whom a job is offered to, and when each gets to see it, in ms from now. When it goes back after an attempt, all of them
 * see it at once. A node that is not there counts again when it comes back; a job of whose nodes none is there, and which
 * nobody else may take, is *unplaced*.
 */
export interface Offers {
  /** Each node once. */
  readonly nodes: readonly { readonly node: NodeName; readonly delayMs: number }[];
  /** For every node that takes data, those named among them; `null`: never. */
  readonly othersDelayMs: number | null;
}

export interface PlacementRow {
  readonly id: JobId;
  readonly offers: Offers;
  readonly placement: string;
  readonly refusal?: Uint8Array;
}

/** What becomes of a blocked job: it ends, or waits to be begun, in its queue or where it is offered. */
export type ReleaseRow = { readonly id: JobId } & (
  | {
      readonly next: "queued";
      readonly offers?: Offers;
      readonly placement?: string;
      readonly inputs: readonly DataUrl[];
    }
  | { readonly next: "failed" | "cancelled"; readonly outcome: Uint8Array }
);

export type SubmitReply =
  | { readonly type: "queued"; readonly rows: readonly ("queued" | "known")[] }
  | { readonly type: "missing"; readonly units: readonly UnitHash[] }
  | { readonly type: "conflict"; readonly id: JobId }
  /** More jobs than the limit would wait in this queue, in which so many do. */
  | { readonly type: "full"; readonly queue: string; readonly waiting: number; readonly limit: number };

export interface ClaimRequest {
  readonly node: NodeName;
  /** Shared queues, by their plain names. */
  readonly queues: readonly string[];
  readonly count: number;
  /** Whether the node takes jobs that are offered to everybody who takes data. */
  readonly takesData: boolean;
}
export type ClaimReply =
  | {
      readonly type: "claimed";
      readonly jobs: readonly ClaimedJob[];
      /**
       * When the next job becomes visible to this node that is not yet, because of its offers or after a pause, in ms from
       * now; `undefined`: none, or `count` jobs are there.
       */
      readonly nextVisibleMs: number | undefined;
    }
  | { readonly type: "lapsed" };

export interface RunningJob {
  readonly id: JobId;
  readonly attempt: number;
  /** How many workers and nodes died under this job so far. */
  readonly deaths: number;
  /** How many attempts threw so far and were followed by a retry. */
  readonly throws: number;
}
export interface ClaimedJob extends RunningJob {
  /** Where it waited: `queue`, or `queue|node`. */
  readonly queue: string;
  readonly spec: Uint8Array;
  /** A line on each of these deaths, oldest first; left out when there was none. */
  readonly pastDeaths?: readonly string[];
}

export type FinishRow =
  | {
      readonly id: JobId;
      readonly attempt: number;
      readonly next: FinalState;
      readonly outcome: Uint8Array;
    }
  | {
      readonly id: JobId;
      readonly attempt: number;
      readonly next: "queued";
      readonly deaths: number;
      readonly throws: number;
      /** Nobody gets to see it before so many ms have passed. Default: 0. */
      readonly delayMs?: number;
      /** A line on the death that this attempt ended with, to be kept for who claims the job next. */
      readonly death?: string;
    };
/** `fenced`: the job is not this node's under this attempt any more, or unknown; nothing was changed. */
export type FinishReply = "committed" | "fenced" | { readonly cancelled: Uint8Array };

/**
 * `cancelling`: it runs, and ends as cancelled as soon as it stops. `stopping`: so it is since a cancel before this one.
 * `final`: too late.
 */
export type CancelReply = "cancelled" | "cancelling" | "stopping" | "final" | "unknown";

export interface StreamingRow {
  readonly id: JobId;
  readonly attempt: number;
}

export interface ProgressRow extends StreamingRow {
  readonly progress: Progress;
}

export interface OutputRow {
  readonly id: JobId;
  readonly piece: OutputPiece;
}
export interface OutputPiece {
  readonly attempt: number;
  /** Counts a job's pieces within an attempt, from 0. */
  readonly index: number;
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
  /** ms since the epoch, by the executing node's clock: for show only. */
  readonly atMs: number;
  /** A log that was cut ends with this piece, which says so. It has the index of the first piece of which nothing was kept. */
  readonly isCut?: boolean;
}

export interface JobRecord extends JobFacts {
  /** How it was placed, as its submitter or the last {@link Store.place} said. */
  readonly placement: string | undefined;
  /** Present when the state is final. */
  readonly outcome: Uint8Array | undefined;
  /** A line on each death after which it went back to its queue, oldest first. */
  readonly pastDeaths: readonly string[];
}

export interface JobFacts {
  readonly id: JobId;
  readonly state: JobState;
  readonly queue: string;
  readonly label: string;
  readonly priority: number;
  readonly attempt: number;
  readonly deaths: number;
  /** The node that runs it, or ran it last. */
  readonly node: NodeName | undefined;
  /** ms since the epoch by the store's clock, as all times here. */
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  /** The attempt whose result is a stream of items, if there was one. */
  readonly streams: number | undefined;
  /** What it last said of how far it is; of a job that runs. */
  readonly progress: Progress | undefined;
}

/** Whether the items of a job's result can be read now. */
export function isStreaming({ state, attempt, streams }: JobRecord): boolean {
  return state === "running" && streams === attempt;
}

export interface Swept {
  readonly exhausted: readonly Exhausted[];
  readonly unplaced: readonly UnplacedJob[];
  readonly ready: readonly BlockedJob[];
}

export interface UnplacedJob {
  readonly id: JobId;
  readonly queue: string;
  readonly inputs: readonly DataUrl[];
}

export interface BlockedJob extends UnplacedJob {
  readonly after: readonly JobId[];
}

export interface Exhausted {
  readonly id: JobId;
  readonly attempt: number;
  readonly deaths: number;
  /** Its first death was the last, as it runs at most once. */
  readonly isAtMostOnce: boolean;
  /** The node that was lost. */
  readonly lostNode: NodeName;
  readonly label: string;
  /** A line on each of these deaths, oldest first. */
  readonly pastDeaths: readonly string[];
}

export interface ExpiryRow {
  readonly id: JobId;
  readonly outcome: Uint8Array;
}

export interface Expiring {
  readonly due: readonly OverdueJob[];
  /** When the next one is due, in ms from now; 0 when more are than are listed; `undefined`: none waits for that. */
  readonly nextMs: number | undefined;
}

/** A job that waited longer than it may. */
export interface OverdueJob {
  readonly id: JobId;
  readonly queue: string;
  readonly label: string;
  readonly ttlMs: number;
  /** How many attempts there were. */
  readonly attempt: number;
  /** A line on each death of which something is known, oldest first. */
  readonly pastDeaths: readonly string[];
}

export type StoreEvent =
  /** Events may be missed from now on, until after the wake-up `*`. */
  | { readonly type: "broken" }
  /**
   * The queue has work, or will have in `delayMs`; of several such times the first. `queue|node`: for that node alone, and
   * no other hears of it. `*`: events may have been missed: claim, and read again the jobs that are waited for.
   */
  | { readonly type: "wake"; readonly queue: string; readonly delayMs: number }
  | {
      readonly type: "finished";
      readonly id: JobId;
      readonly state: FinalState;
      readonly outcome: Uint8Array;
    }
  | { readonly type: "output"; readonly id: JobId; readonly piece: OutputPiece }
  | { readonly type: "streaming"; readonly id: JobId; readonly attempt: number }
  | { readonly type: "progress"; readonly id: JobId; readonly attempt: number; readonly progress: Progress }
  | { readonly type: "cancel"; readonly id: JobId; readonly attempt: number };

export interface StoreOptions {
  /** Keys of different clusters never meet. */
  readonly cluster: string;
  /** How long results, output and final records are kept, and the specs of what did not succeed. */
  readonly resultTtlMs: number;
  /** How long a code unit outlives its last use. */
  readonly unitTtlMs: number;
  /** A job's output log keeps this many bytes; then one piece on stderr says that it was cut. Watchers get it all. */
  readonly outputLimitBytes: number;
  /** So many jobs may wait in one queue; those that come back to it are never refused. */
  readonly queueLimit: number;
}
