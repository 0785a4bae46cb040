import { setImmediate as turn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { encodeOutcome } from "../../src/codec/wire.ts";
import type { JobId } from "../../src/core/ids.ts";
import { awaitedOutcomes } from "../../src/node/jobs/awaited-outcomes.ts";
import { BlockedJobs } from "../../src/node/jobs/blocked-jobs.ts";
import type { JobRecord, ReleaseRow } from "../../src/store/port.ts";
import { N1, newId } from "../store/support/harness.ts";

const RESULT = encodeOutcome({ type: "value", codec: "json", bytes: Buffer.alloc(1_000_000) });

const SUCCEEDED: Omit<JobRecord, "id"> = {
  state: "succeeded",
  outcome: RESULT,
  queue: "default",
  label: "test.add",
  priority: 0,
  attempt: 1,
  deaths: 0,
  node: N1,
  createdAtMs: 0,
  startedAtMs: 0,
  finishedAtMs: 0,
  streams: undefined,
  progress: undefined,
  placement: undefined,
  pastDeaths: [],
};

/** A store whose jobs have all succeeded, each with a result of a megabyte, and that counts what it was asked for. */
class FullStore {
  asked = 0;
  /** The most results that one answer had. */
  mostAtOnce = 0;
  readonly released = vi.fn<(rows: readonly ReleaseRow[]) => void>();

  async read(ids: readonly JobId[]): Promise<JobRecord[]> {
    this.asked += ids.length;
    this.mostAtOnce = Math.max(this.mostAtOnce, ids.length);
    return ids.map((id) => ({ ...SUCCEEDED, id }));
  }

  watch(ids: readonly JobId[]): Promise<JobRecord[]> {
    return this.read(ids);
  }

  async release(rows: readonly ReleaseRow[]): Promise<void> {
    this.released(rows);
  }
}

const ids = Array.from({ length: 1_000 }, newId);

test("results that are too much for one run are not read on when that is clear", async () => {
  const store = new FullStore();
  await expect(awaitedOutcomes(store, ids)).rejects.toMatchObject({
    code: "KS_TOO_LARGE",
    message: expect.stringMatching(
      /^The results of 1000 jobs together are more than the 268 MB that one run/,
    ),
  });
  expect(store.asked).toBeLessThan(320);
  expect(await awaitedOutcomes(store, ids.slice(0, 100))).toHaveLength(100);
});

test("a job that waits for many large results is released without having them all at once", async () => {
  const store = new FullStore();
  const router = { route: async <Job>(jobs: readonly Job[]) => [...jobs] };
  const blocked = new BlockedJobs({ node: N1, store, router, warn: expect.unreachable });
  const job = { id: newId(), queue: "default", inputs: [], after: ids };
  blocked.follow([{ ...job, priority: 0, label: "sum", spec: Buffer.alloc(0) }]);
  while (store.released.mock.calls.length === 0) await turn();
  expect(store.released).toHaveBeenCalledExactlyOnceWith([{ id: job.id, next: "queued", inputs: [] }]);
  expect(store.mostAtOnce).toBeLessThanOrEqual(32);
});
