import { expect, test } from "vitest";
import { bucketMs, durationBucket, quantileMs } from "../../../src/core/activity.ts";
import { parseJobId } from "../../../src/core/ids.ts";
import { Activity } from "../../../src/node/activity/activity.ts";
import { Ring } from "../../../src/node/activity/ring.ts";
import { Meter } from "../../../src/node/activity/tally.ts";

const idOf = (n: number) => parseJobId(`00000000-0000-7000-8000-${String(n).padStart(12, "0")}`);

function run(activity: Activity, n: number, label = "f"): void {
  const facts = {
    job: { id: idOf(n), attempt: 1, queue: "default" },
    spec: { label },
    claimedAtMs: n,
    begunAtMs: n,
    slot: 1,
  };
  activity.begun("queue", n);
  activity.ended("queue", facts, "succeeded", 1);
}

test("a ring keeps the last items, newest first", () => {
  const ring = new Ring<number>(3);
  expect([...ring.newest()]).toEqual([]);
  for (const [n, kept] of [[1], [2, 1], [3, 2, 1], [4, 3, 2], [5, 4, 3], [6, 5, 4]].entries()) {
    ring.push(n + 1);
    expect([...ring.newest()]).toEqual(kept);
  }
});

test("runs are told from a number on, evenly chosen where there are too many, and none is lost count of", () => {
  const activity = new Activity();
  for (let n = 1; n <= 10; n += 1) run(activity, n);
  const seqs = (after: number, most: number): number[] =>
    activity.since(after, most).runs.map(({ seq }) => seq);
  expect(seqs(0, 100)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(seqs(7, 100)).toEqual([8, 9, 10]);
  expect(seqs(0, 5)).toEqual([2, 4, 6, 8, 10]);
  expect(activity.since(0, 5)).toMatchObject({ skipped: 5, seq: 10 });
  expect(seqs(1_000, 100)).toHaveLength(10);
});

test("however many runs there are, as many as are asked for are told, the last one among them", () => {
  const activity = new Activity();
  for (let count = 1; count <= 1_700; count += 1) {
    run(activity, count);
    const { runs, skipped } = activity.since(0, 300);
    expect(runs.map(({ seq }) => seq).at(-1)).toBe(count);
    expect(runs.length + skipped).toBe(count);
  }
});

test("how long each worker was at work is counted, for each lane", () => {
  const activity = new Activity();
  const nowMs = performance.now();
  const facts = { job: { id: idOf(1), attempt: 1, queue: "default" }, spec: { label: "f" } };
  for (const [slot, tookMs] of [
    [1, 40],
    [2, 10],
    [1, 20],
  ] as const)
    activity.ended("queue", { ...facts, claimedAtMs: 0, begunAtMs: nowMs - tookMs, slot }, "failed", tookMs);
  activity.ended("queue", { ...facts, claimedAtMs: 0, begunAtMs: undefined, slot: 2 }, "cancelled", 0);
  const spent = performance.now() - nowMs;
  for (const [slot, expected] of [
    [1, 60],
    [2, 10],
    [3, 0],
  ] as const) {
    expect(activity.busyMs("queue", slot)).toBeGreaterThanOrEqual(expected);
    expect(activity.busyMs("queue", slot)).toBeLessThanOrEqual(expected + 2 * spent);
  }
  expect(activity.busyMs("instant", 1)).toBe(0);
});

test("a claimed job that cannot be begun has failed, and was no run", () => {
  const activity = new Activity();
  run(activity, 1);
  activity.refused(idOf(2));
  const { queue } = activity.totals();
  expect({ ...queue, durations: [] }).toMatchObject({ begun: 1, succeeded: 1, failed: 1 });
  expect(activity.since(0, 10).runs).toHaveLength(1);
  expect(activity.times().queue.count).toBe(1);
  expect(activity.lastEnded(10, "failed", undefined)).toEqual([idOf(2)]);
});

test("a million runs leave a few thousand behind, and are all counted", () => {
  const activity = new Activity();
  for (let n = 1; n <= 1_000_000; n += 1) run(activity, n % 1_000);
  const { runs, skipped, seq } = activity.since(0, 1_000_000);
  expect(runs.length).toBe(4_000);
  expect({ skipped, seq }).toEqual({ skipped: 996_000, seq: 1_000_000 });
  expect(activity.totals().queue).toMatchObject({ begun: 1_000_000, succeeded: 1_000_000, failed: 0 });
});

test("jobs that ended are told by end and label, those without a worker among them", () => {
  const activity = new Activity();
  run(activity, 1, "test.add");
  run(activity, 2, "other");
  activity.endedUnbegun([{ id: idOf(3) }, { id: idOf(4), label: "test.more" }], "cancelled");
  expect(activity.lastEnded(10, undefined, undefined).toSorted()).toEqual([1, 2, 3, 4].map(idOf));
  expect(activity.lastEnded(10, "cancelled", undefined).toSorted()).toEqual([3, 4].map(idOf));
  expect(activity.lastEnded(10, undefined, "test.").toSorted()).toEqual([1, 3, 4].map(idOf));
  expect(activity.lastEnded(1, "succeeded", undefined)).toEqual([idOf(2)]);
});

test("a rate is that of the last full seconds", () => {
  const meter = new Meter();
  expect(meter.perSecond(50_000)).toBe(0);
  for (let ms = 100_000; ms < 103_000; ms += 100) meter.count(ms);
  expect(meter.perSecond(103_050)).toBe(10);
  expect(meter.perSecond(105_500)).toBe(6);
  expect(meter.perSecond(107_999)).toBe(2);
  expect(meter.perSecond(108_000)).toBe(0);
  expect(meter.total).toBe(30);
});

test("lengths of runs fall into buckets of which the quantiles are read", () => {
  expect([0, 0.05, 0.1].map(durationBucket)).toEqual([0, 0, 0]);
  for (const ms of [0.2, 1, 7, 1_000, 3_600_000]) {
    const bucket = durationBucket(ms);
    expect(bucketMs(bucket)).toBeGreaterThanOrEqual(ms * 0.999);
    expect(bucketMs(bucket - 1)).toBeLessThan(ms);
  }
  const durations = Array<number>(38).fill(0);
  expect(quantileMs(durations, 0.5)).toBeUndefined();
  durations[durationBucket(1)] = 90;
  durations[durationBucket(100)] = 10;
  expect(quantileMs(durations, 0.5)).toBeCloseTo(1);
  expect(quantileMs(durations, 0.95)).toBeCloseTo(100);
});
