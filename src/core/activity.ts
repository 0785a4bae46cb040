/** What happens on the nodes of a cluster, as they tell it: JSON as it is. Times are in ms since the epoch, by the clock of the node that tells. */
import type { JobId, NodeName } from "./ids.ts";
import type { FinalState } from "./job-states.ts";

/** Which of a node's pools a worker belongs to: that for jobs of queues, or that for instant calls. */
export type Lane = "queue" | "instant";

/** What an attempt came to. `queued`: the job went back, to be begun again. */
export type RunEnd = FinalState | "queued";

/** One run that has ended: an attempt of a job, or an instant call. */
export interface RunNote {
  /** Counts the node's runs, from 1. */
  readonly seq: number;
  readonly id: JobId;
  readonly attempt: number;
  readonly label: string;
  readonly lane: Lane;
  /** The worker's place in its pool, from 1; 0: it ended before any worker began it. */
  readonly slot: number;
  /** `null`: an instant call. */
  readonly queue: string | null;
  /** When the node had taken it. */
  readonly claimedAtMs: number;
  /** `null`: it ended before any worker began it. */
  readonly begunAtMs: number | null;
  readonly endedAtMs: number;
  readonly end: RunEnd;
}

/** What a worker does now. */
export interface CurrentRun extends Pick<RunNote, "id" | "attempt" | "label" | "queue"> {
  readonly begunAtMs: number;
}

export interface WorkerStatus {
  readonly lane: Lane;
  /** Its place in its pool, from 1. */
  readonly slot: number;
  /** `null`: it starts, or starts anew. */
  readonly pid: number | null;
  readonly startedAtMs: number | null;
  /** What it has of the machine's memory; `null`: not known on this system. */
  readonly memoryBytes: number | null;
  /** `null`: it is idle at this moment, be it for less than a millisecond. */
  readonly run: CurrentRun | null;
  /** How long its place has been at work since the node started, in ms: whoever wants a share takes the difference of two. */
  readonly busyMs: number;
  /** How many runs it was given to begin after this one. */
  readonly waiting: number;
}

/** Counts since the node started: who wants a rate takes the difference of two. */
export interface LaneTotals {
  readonly begun: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Runs after which the job went back to its queue. */
  readonly requeued: number;
  /** How many of them took how long: see {@link durationBucket}. */
  readonly durations: readonly number[];
}

export interface LaneRates {
  /** Over the last full seconds, {@link RATE_SECONDS} at most. */
  readonly begunPerSecond: number;
  readonly endedPerSecond: number;
}

export interface NodeStatus {
  readonly name: NodeName;
  readonly version: string;
  readonly nowMs: number;
  readonly startedAtMs: number;
  readonly isReadOnly: boolean;
  readonly queues: readonly string[];
  readonly workers: readonly WorkerStatus[];
  readonly totals: Readonly<Record<Lane, LaneTotals>>;
  readonly rates: Readonly<Record<Lane, LaneRates>>;
  readonly memory: {
    /** Of the node's own process. */
    readonly nodeBytes: number;
    /** Of the machine. */
    readonly freeBytes: number;
    readonly totalBytes: number;
  };
  readonly data: {
    readonly replicas: number;
    readonly bytes: number;
    readonly freeBytes: number;
    readonly isFull: boolean;
  };
}

/** What one node answers to another. */
export interface NodeActivity {
  readonly status: NodeStatus;
  /** Runs that ended after the one that was asked for, oldest first. */
  readonly runs: readonly RunNote[];
  /** How many more of them there were than are told. */
  readonly skipped: number;
  /** The number of the last one. */
  readonly seq: number;
}

export interface NodeReport {
  readonly name: NodeName;
  readonly url: string | null;
  /** `null`: it did not answer. */
  readonly status: NodeStatus | null;
  readonly error: string | null;
}

export interface ClusterStatus {
  /** The node that was asked. */
  readonly node: NodeName;
  readonly nowMs: number;
  /** For people: `Redis 7.0.15 at tcp://localhost:6379?db=9` */
  readonly store: string;
  readonly nodes: readonly NodeReport[];
  readonly queues: readonly { readonly queue: string; readonly jobs: number }[];
  /** Jobs that wait for nobody who is there. */
  readonly unplaced: number;
}

/** Runs of one node that ended since the last event. */
export interface RunsOfNode extends Pick<NodeActivity, "runs" | "skipped"> {
  readonly node: NodeName;
}

/** How many seconds rates are averaged over. */
export const RATE_SECONDS = 5;

const BUCKETS_PER_DECADE = 4;
const FIRST_BUCKET_MS = 0.1;
/** Up to 0.1 ms, then four for each power of ten, up to 28 hours; and what took longer. */
export const DURATION_BUCKETS = 38;

/** Which of the buckets a run of this length belongs to. */
export function durationBucket(ms: number): number {
  if (!(ms > FIRST_BUCKET_MS)) return 0;
  const bucket = Math.ceil(Math.log10(ms / FIRST_BUCKET_MS) * BUCKETS_PER_DECADE - 1e-9);
  return Math.min(bucket, DURATION_BUCKETS - 1);
}

/** The longest time of a bucket, in ms. */
export function bucketMs(bucket: number): number {
  return FIRST_BUCKET_MS * 10 ** (bucket / BUCKETS_PER_DECADE);
}

/** The time, in ms, that this share (0 to 1) of the runs took at most, somewhat rounded up; `undefined`: there were none. */
export function quantileMs(durations: readonly number[], share: number): number | undefined {
  const wanted = share * durations.reduce((sum, count) => sum + count, 0);
  if (wanted === 0) return undefined;
  let sum = 0;
  const bucket = durations.findIndex((count) => (sum += count) >= wanted);
  return bucketMs(bucket);
}
