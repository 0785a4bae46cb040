import type { ClusterStatus, LaneTotals, NodeStatus } from "../../src/core/activity.ts";

/** Runs that ended since the last news. */
export interface Ended {
  /** Per second: jobs, instant calls, and both. */
  readonly succeeded: number;
  readonly instant: number;
  readonly failed: number;
  /** How many of them took how long, as counted by `durationBucket`. */
  readonly durations: readonly number[];
}

/** What a node has counted, and from when on. */
type Counted = Pick<NodeStatus, "nowMs" | "startedAtMs" | "totals">;

const NOTHING: LaneTotals = { begun: 0, succeeded: 0, failed: 0, cancelled: 0, requeued: 0, durations: [] };

/**
 * Tells what ended lately by what nodes count since they started. Each is compared with itself alone: one that did not
 * answer in between takes no part, and is compared the next time with what it told last.
 */
export class EndedRuns {
  #known: ReadonlyMap<string, Counted> | undefined;

  /** `undefined`: these are the first news. */
  count({ nodes }: ClusterStatus): Ended | undefined {
    const before = this.#known;
    const known = new Map<string, Counted>();
    const ended = { succeeded: 0, instant: 0, failed: 0, durations: [] as number[] };
    for (const { name, status } of nodes) {
      const last = before?.get(name);
      const newest = status ?? last;
      if (newest !== undefined) known.set(name, newest);
      if (status !== null && last !== undefined) add(ended, beginOf(last, status), status);
    }
    this.#known = known;
    return before === undefined ? undefined : ended;
  }
}

/** A node that started anew has counted from its start. */
function beginOf(last: Counted, { startedAtMs }: Counted): Counted {
  if (last.startedAtMs === startedAtMs) return last;
  return { nowMs: startedAtMs, startedAtMs, totals: { queue: NOTHING, instant: NOTHING } };
}

type Sums = { -readonly [Key in keyof Ended]: Key extends "durations" ? number[] : number };

function add(sums: Sums, before: Counted, now: Counted): void {
  const seconds = (now.nowMs - before.nowMs) / 1_000;
  // News that came twice.
  if (seconds <= 0) return;
  const since = (lane: "queue" | "instant", key: "succeeded" | "failed"): number =>
    (now.totals[lane][key] - before.totals[lane][key]) / seconds;
  sums.succeeded += since("queue", "succeeded");
  sums.instant += since("instant", "succeeded");
  sums.failed += since("queue", "failed") + since("instant", "failed");
  for (const lane of ["queue", "instant"] as const)
    now.totals[lane].durations.forEach((count, at) => {
      sums.durations[at] = (sums.durations[at] ?? 0) + count - (before.totals[lane].durations[at] ?? 0);
    });
}
