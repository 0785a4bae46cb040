import type { DataUrl } from "../../core/data-url.ts";
import { isContentId, type JobId, type NodeName } from "../../core/ids.ts";
import type { JobState } from "../../core/job-states.ts";
import type { Progress } from "../../core/progress.ts";
import type { FinishReply, FinishRow, JobFacts, JobRecord, NewJob } from "../port.ts";
import { type MemoryOffers, toMemoryOffers } from "./offers.ts";
import type { OutputLog } from "./output.ts";

/** A job as the embedded store holds it. `order` sorts its queue: higher priority first, then older. */
export interface MemoryJob {
  readonly id: JobId;
  readonly queue: string;
  readonly label: string;
  readonly priority: number;
  readonly order: number;
  readonly createdAtMs: number;
  /** Until the job succeeds; from then on `print` stands for it. */
  spec: Uint8Array | undefined;
  print: string | undefined;
  state: JobState;
  attempt: number;
  deaths: number;
  pastDeaths: readonly string[];
  throws: number;
  node: NodeName | undefined;
  startedAtMs: number | undefined;
  finishedAtMs: number | undefined;
  outcome: Uint8Array | undefined;
  /** Its last attempt ended it, or was to be cancelled; `false` when it ended while it waited. */
  endedRunning: boolean;
  /** The outcome that a cancel brought while the job ran. */
  cancelled: Uint8Array | undefined;
  /** The last attempt that its own node gave back, so that a repeated give-back is known as one. */
  givenBack: { readonly node: NodeName; readonly attempt: number } | undefined;
  /** Never changed, only replaced: the jobs of a batch share one. */
  watchers: readonly NodeName[];
  output: OutputLog | undefined;
  /** The attempt whose result is a stream of items. */
  streams: number | undefined;
  /** What this attempt last said of how far it is. */
  progress: Progress | undefined;
  /** Of a job that waits in no queue. */
  offers: MemoryOffers | undefined;
  placement: string | undefined;
  inputs: readonly DataUrl[] | undefined;
  /** Of a job that is blocked: what it waits for. */
  after: readonly JobId[] | undefined;
  /** `undefined`: it may be begun at any time. */
  readonly ttlMs: number | undefined;
  readonly isAtMostOnce: boolean;
}

/** Of a job that has ended. */
export const NOBODY: readonly NodeName[] = [];

/** One step of priority outweighs any age; both together stay exact in a double. */
const PRIORITY_STEP = 1e12;

/** A fresh job, queued. `sequence` grows with every job. */
export function newMemoryJob(
  job: NewJob,
  { sequence, watchers, nowMs }: { sequence: number; watchers: readonly NodeName[]; nowMs: number },
): MemoryJob {
  return {
    id: job.id,
    queue: job.queue,
    label: job.label,
    priority: job.priority,
    order: sequence - job.priority * PRIORITY_STEP,
    createdAtMs: nowMs,
    spec: job.spec,
    print: undefined,
    state: "queued",
    attempt: 0,
    deaths: 0,
    pastDeaths: [],
    throws: 0,
    node: undefined,
    startedAtMs: undefined,
    finishedAtMs: undefined,
    outcome: undefined,
    endedRunning: false,
    cancelled: undefined,
    givenBack: undefined,
    watchers,
    output: undefined,
    streams: undefined,
    progress: undefined,
    offers: job.offers === undefined ? undefined : toMemoryOffers(job.offers, nowMs),
    placement: job.placement,
    inputs: job.inputs,
    after: job.after,
    ttlMs: job.ttlMs,
    isAtMostOnce: job.isAtMostOnce ?? false,
  };
}

/** Until when it may be begun, in ms since the epoch. */
export function expiresAtMs({ createdAtMs, ttlMs = Infinity }: MemoryJob): number {
  return createdAtMs + ttlMs;
}

/** What readers get to see of a job. */
export function toRecord(job: MemoryJob): JobRecord {
  const { placement, outcome, pastDeaths } = job;
  return { ...toFacts(job), placement, outcome, pastDeaths };
}

/** The same without what may be large. */
export function toFacts(job: MemoryJob): JobFacts {
  const { id, state, queue, label, priority, attempt, deaths, node } = job;
  const { createdAtMs, startedAtMs, finishedAtMs, streams } = job;
  return {
    id,
    state,
    queue,
    label,
    priority,
    attempt,
    deaths,
    node,
    createdAtMs,
    startedAtMs,
    finishedAtMs,
    streams,
    progress: state === "running" ? job.progress : undefined,
  };
}

/** Adds a watcher, once. */
export function addWatcher(job: MemoryJob, node: NodeName): void {
  if (!job.watchers.includes(node)) job.watchers = [...job.watchers, node];
}

/** Whether the same call is made anew. */
export function isInVain({ id, state }: MemoryJob): boolean {
  return isContentId(id) && (state === "failed" || state === "cancelled");
}

/** The answer to a commit that is not the first of its attempt: what the first one was told, or `fenced`. */
export function repeated(job: MemoryJob, node: NodeName, row: FinishRow): FinishReply {
  const back = job.givenBack;
  if (row.next === "queued" && back?.node === node && back.attempt === row.attempt) return "committed";
  if (!job.endedRunning || job.node !== node || job.attempt !== row.attempt) return "fenced";
  if (job.cancelled !== undefined) return { cancelled: job.cancelled };
  return job.state === row.next ? "committed" : "fenced";
}
