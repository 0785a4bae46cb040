/**
 * What a store knows, as plain values that nothing ever changes: the state of the specification that both stores are tested
 * against. It says where each job stands and when what ends; how a store finds that quickly is no matter here.
 */
import type { JobId, NodeName, UnitHash } from "../../../src/core/ids.ts";
import type { FinalState, JobState } from "../../../src/core/job-states.ts";
import type { Progress } from "../../../src/core/progress.ts";
import type { ClusterTerms, NodeRegistration } from "../../../src/store/membership.ts";
import type { NewJob, OutputPiece, StoreEvent, StoreOptions } from "../../../src/store/port.ts";

export interface World {
  readonly nowMs: number;
  readonly settings: Pick<StoreOptions, "resultTtlMs" | "unitTtlMs" | "queueLimit">;
  /** Those that have not expired, in the order of their submission. */
  readonly jobs: ReadonlyMap<JobId, Job>;
  /** A lease that has run out stands here until somebody notices: a sweep, or the node itself. */
  readonly leases: ReadonlyMap<NodeName, Lease>;
  /** The time that leases end by goes on until then, unless a node is heard of. None while nobody has a lease. */
  readonly heardUntilMs: number | undefined;
  /** Code units, by when they expire. */
  readonly units: ReadonlyMap<UnitHash, number>;
  readonly submitted: number;
}

export interface Job {
  /** As it was submitted; `offers`, `inputs` and `placement` as it was placed or released last. */
  readonly given: NewJob;
  readonly number: number;
  readonly createdAtMs: number;
  readonly watchers: readonly NodeName[];
  readonly place: Place;
  /** Counts its attempts: 0 until the first claim. */
  readonly attempt: number;
  readonly deaths: number;
  /** A line on each death of which something is known. */
  readonly pastDeaths: readonly string[];
  readonly throws: number;
  /** The present attempt's, or the last one's. */
  readonly node: NodeName | undefined;
  readonly startedAtMs: number | undefined;
  readonly streams: number | undefined;
  readonly output: readonly OutputPiece[];
  /** What the present attempt last said. */
  readonly progress: Progress | undefined;
  /** The last attempt that was given back by its node. */
  readonly gaveBack: AttemptOf | undefined;
}

/** One attempt of a job, on one node. */
export interface AttemptOf {
  readonly node: NodeName;
  readonly attempt: number;
}

/** Where a job stands. */
export type Place =
  | { readonly at: "queue" }
  | { readonly at: "offers"; readonly visible: Visible }
  /** Offered to nobody who is there; waits for somebody to place it. */
  | { readonly at: "unplaced" }
  /** Waits for other jobs; then for somebody to release it. */
  | { readonly at: "blocked" }
  /** Waits again, and not where others see it before that time. */
  | { readonly at: "pause"; readonly untilMs: number }
  /** A claim came upon it too late for it to begin: it waits for nothing but its end. */
  | { readonly at: "too late" }
  /** Its node is lost, which a sweep has still to decide on; or has, and the node is gone that it handed the job to. */
  | { readonly at: "lost"; readonly lostNode: NodeName; readonly isDecided: boolean }
  | {
      readonly at: "node";
      /** The outcome that a cancel brought. */
      readonly asked: Uint8Array | undefined;
      /** Handed to the node to fail it, after that one was lost. */
      readonly lostNode: NodeName | undefined;
    }
  | {
      readonly at: "end";
      readonly state: FinalState;
      readonly outcome: Uint8Array;
      readonly atMs: number;
      /** The attempt that ended it, or that was to be cancelled; none when it ended without running. */
      readonly by: AttemptOf | undefined;
      /** It ended because a cancel was asked for while it ran. */
      readonly wasAsked: boolean;
    };

/** From when on each may take an offered job. */
export interface Visible {
  readonly atMs: ReadonlyMap<NodeName, number>;
  readonly othersAtMs: number | undefined;
}

export interface Lease {
  readonly registration: NodeRegistration;
  readonly endsAtMs: number;
}

/** What a store sends out: an event to one node, or a wake-up to whom it concerns. */
export type Sent =
  | { readonly to: NodeName; readonly event: StoreEvent }
  | { readonly queue: string; readonly delayMs: number; readonly except: NodeName | undefined };

export function emptyWorld(nowMs: number, settings: World["settings"]): World {
  return {
    nowMs,
    settings,
    jobs: new Map(),
    leases: new Map(),
    heardUntilMs: undefined,
    units: new Map(),
    submitted: 0,
  };
}

export function stateOf({ place }: Job): JobState {
  if (place.at === "end") return place.state;
  return place.at === "node" ? "running" : "queued";
}

/** The time that leases end by: it stands still while no node is heard of. */
export function leaseTime({ nowMs, heardUntilMs = nowMs }: World): number {
  return Math.min(nowMs, heardUntilMs);
}

export function holdsLease(world: World, node: NodeName): boolean {
  const lease = world.leases.get(node);
  return lease !== undefined && lease.endsAtMs > leaseTime(world);
}

/** The terms of the nodes that are there beside this one. */
export function termsOfOthers(world: World, node: NodeName): ClusterTerms | undefined {
  const other = [...world.leases.keys()].find((name) => name !== node && holdsLease(world, name));
  return other === undefined ? undefined : world.leases.get(other)?.registration.terms;
}

/** Higher priority first, then older. */
export function inOrder(jobs: Iterable<Job>): Job[] {
  return [...jobs].toSorted((a, b) => b.given.priority - a.given.priority || a.number - b.number);
}

/** Of a job that waits: whether it may not be begun any more. A sweep has its say first when its node is lost. */
export function isOverdue({ nowMs }: World, job: Job): boolean {
  return isWaiting(job) && expiryOf(job) <= nowMs;
}

export function isWaiting({ place: { at } }: Job): boolean {
  return at !== "node" && at !== "end" && at !== "lost";
}

/** Up to when it may be begun, in ms since the epoch. */
export function expiryOf({ createdAtMs, given: { ttlMs = Infinity } }: Job): number {
  return createdAtMs + ttlMs;
}

/** How many jobs wait in a queue, in one way or another. */
export function countWaiting({ jobs }: World, queue: string): number {
  return [...jobs.values()].filter(
    (job) => job.given.queue === queue && isWaiting(job) && job.place.at !== "too late",
  ).length;
}

export function jobsAt(world: World, at: Place["at"]): Job[] {
  return [...world.jobs.values()].filter(({ place }) => place.at === at);
}
