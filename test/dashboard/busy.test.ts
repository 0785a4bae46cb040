import { expect, test } from "vitest";
import { BusyWorkers } from "../../dashboard/src/busy.ts";
import type { ClusterStatus, CurrentRun } from "../../src/core/activity.ts";

const RUN = { id: "1", attempt: 1, label: "f", queue: "default", begunAtMs: 0 } as unknown as CurrentRun;

/** News of a node with one worker for each of these. */
const news = (nowMs: number, ...workers: { busyMs: number; run?: CurrentRun }[]): ClusterStatus => {
  const rows = workers.map(({ busyMs, run = null }, at) => ({ lane: "queue", slot: at + 1, busyMs, run }));
  return { nodes: [{ name: "n1", status: { nowMs, workers: rows } }] } as unknown as ClusterStatus;
};

test("workers count by the part of the time that they were at work, whatever they do at the moment", () => {
  const busy = new BusyWorkers();
  busy.count(news(0, { busyMs: 0 }, { busyMs: 0 }));
  expect(busy.count(news(500, { busyMs: 495 }, { busyMs: 250 }))).toBeCloseTo(1.49);
  expect(busy.count(news(1_000, { busyMs: 995 }, { busyMs: 250 }))).toBe(1);
});

test("at first, and of a node that started anew, what they do at the moment is all that is known", () => {
  const busy = new BusyWorkers();
  expect(busy.count(news(9_000, { busyMs: 5_000, run: RUN }, { busyMs: 5_000 }))).toBe(1);
  expect(busy.count(news(9_500, { busyMs: 10, run: RUN }, { busyMs: 0 }))).toBe(1);
});

test("no worker counts for more than one, and news that came twice for none", () => {
  const busy = new BusyWorkers();
  busy.count(news(0, { busyMs: 0 }));
  expect(busy.count(news(500, { busyMs: 600 }))).toBe(1);
  expect(busy.count(news(500, { busyMs: 600 }))).toBe(0);
});
