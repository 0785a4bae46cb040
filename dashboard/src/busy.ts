import type { ClusterStatus } from "../../src/core/activity.ts";

interface Known {
  readonly atMs: number;
  readonly busyMs: number;
}

/**
 * How many workers are at work, on average since the last news. What they do at one moment does not tell: short runs end, and
 * the next ones come, some at a time, and a node that looks between the two finds none.
 */
export class BusyWorkers {
  #known: ReadonlyMap<string, Known> = new Map();

  count({ nodes }: ClusterStatus): number {
    const known = new Map<string, Known>();
    let sum = 0;
    for (const { name, status } of nodes)
      for (const { lane, slot, busyMs, run } of status?.workers ?? []) {
        const key = `${name} ${lane} ${slot}`;
        const [before, now] = [this.#known.get(key), { atMs: status?.nowMs ?? 0, busyMs }];
        known.set(key, now);
        sum +=
          before === undefined || before.busyMs > busyMs ? Number(run !== null) : shareSince(before, now);
      }
    this.#known = known;
    return sum;
  }
}

function shareSince(before: Known, now: Known): number {
  const passedMs = now.atMs - before.atMs;
  return passedMs <= 0 ? 0 : Math.min(1, (now.busyMs - before.busyMs) / passedMs);
}
