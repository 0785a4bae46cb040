import { expect, test } from "vitest";
import { EndedRuns } from "../../dashboard/src/ended-runs.ts";
import type { ClusterStatus, LaneTotals } from "../../src/core/activity.ts";

interface Told {
  readonly nowMs: number;
  readonly startedAtMs?: number;
  readonly queue?: Partial<LaneTotals>;
  readonly instant?: Partial<LaneTotals>;
}

const lane = (totals: Partial<LaneTotals> = {}): object => ({
  succeeded: 0,
  failed: 0,
  durations: [],
  ...totals,
});

/** News of nodes by their names; of `null` there was no answer. */
const news = (nodes: Readonly<Record<string, Told | null>>): ClusterStatus => {
  const rows = Object.entries(nodes).map(([name, told]) => {
    if (told === null) return { name, status: null };
    const { nowMs, startedAtMs = 0, queue, instant } = told;
    return { name, status: { nowMs, startedAtMs, totals: { queue: lane(queue), instant: lane(instant) } } };
  });
  return { nodes: rows } as unknown as ClusterStatus;
};

test("rates are what all nodes ended since the last news", () => {
  const ended = new EndedRuns();
  expect(ended.count(news({ a: { nowMs: 0, queue: { succeeded: 7 } } }))).toBeUndefined();
  const second = news({
    a: {
      nowMs: 500,
      queue: { succeeded: 17, failed: 1, durations: [0, 11] },
      instant: { succeeded: 5, durations: [5] },
    },
  });
  expect(ended.count(second)).toEqual({ succeeded: 20, failed: 2, instant: 10, durations: [5, 11] });
});

test("a node that misses one of the news counts for nothing then, and the next time for what it did meanwhile", () => {
  const ended = new EndedRuns();
  const told = (nowMs: number, succeeded: number): Told => ({
    nowMs,
    queue: { succeeded, durations: [succeeded] },
  });
  ended.count(news({ a: told(0, 10), b: told(0, 1_000_000) }));
  expect(ended.count(news({ a: told(500, 15), b: null }))).toMatchObject({ succeeded: 10, durations: [5] });
  expect(ended.count(news({ a: told(1_000, 20), b: told(1_000, 1_000_010) }))).toMatchObject({
    succeeded: 20,
    durations: [15],
  });
});

test("a node counts from its start when it started anew, and from its first news when it is new here", () => {
  const ended = new EndedRuns();
  ended.count(news({ a: { nowMs: 10_000, queue: { succeeded: 500 } } }));
  const later = news({
    a: { nowMs: 10_500, startedAtMs: 10_300, queue: { succeeded: 2 } },
    b: { nowMs: 77, queue: { succeeded: 1_000 } },
  });
  expect(ended.count(later)).toMatchObject({ succeeded: 10 });
});

test("news that came twice tell of nothing new", () => {
  const ended = new EndedRuns();
  const same = news({ a: { nowMs: 500, queue: { succeeded: 3 } } });
  ended.count(same);
  expect(ended.count(same)).toEqual({ succeeded: 0, failed: 0, instant: 0, durations: [] });
});
