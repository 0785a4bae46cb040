import { expect, test } from "vitest";
import {
  bytes,
  claim,
  N1,
  N2,
  newId,
  newJob,
  NOTHING_SWEPT,
  type OpenStore,
  register,
  runningJob,
  shown,
  state,
  submit,
  withStore,
  SHORT_LEASE_MS,
} from "../support/harness.ts";

export function describeCancel(open: OpenStore): void {
  test(
    "a queued job is cancelled at once, with the outcome that the cancel brought",
    withStore(open, async ({ store }) => {
      const job = newJob();
      await submit(store, job);
      expect(await store.cancel([job.id, newId()], bytes("not needed"))).toEqual(["cancelled", "unknown"]);
      const [record] = await store.read([job.id]);
      expect(record).toMatchObject({ state: "cancelled", finishedAtMs: expect.any(Number) });
      expect(shown(record?.outcome)).toBe("not needed");
      expect(await store.activeJobs()).toEqual([]);
      expect(await store.cancel([job.id], bytes("again"))).toEqual(["final"]);
    }),
  );

  test(
    "a running job is cancelling, and then stopping; it stays running until it stops, and ends as cancelled whatever the commit says",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const [a, b] = [await runningJob(store, N1), await runningJob(store, N1)];
      expect(await store.cancel([a, b], bytes("why"))).toEqual(["cancelling", "cancelling"]);
      expect(await store.cancel([a], bytes("another reason"))).toEqual(["stopping"]);
      expect(await state(store, a)).toBe("running");
      const rows = [
        { id: a, attempt: 1, next: "succeeded", outcome: bytes("3") },
        { id: b, attempt: 1, next: "queued", deaths: 0, throws: 1 },
      ] as const;
      const replies = await store.finish(N1, rows);
      const outcomes = replies.map((reply) => (typeof reply === "string" ? reply : shown(reply.cancelled)));
      expect(outcomes).toEqual(["why", "why"]);
      const again = await store.finish(N1, rows);
      expect(again.map((reply) => (typeof reply === "string" ? reply : shown(reply.cancelled)))).toEqual(
        outcomes,
      );
      const [record] = await store.read([a]);
      expect(record?.state).toBe("cancelled");
      expect(shown(record?.outcome)).toBe("why");
      expect(await state(store, b)).toBe("cancelled");
    }),
  );

  test(
    "the outcome of a cancel is not shown before the job is cancelled",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const id = await runningJob(store, N1);
      await store.cancel([id], bytes("why"));
      expect((await store.read([id]))[0]?.outcome).toBeUndefined();
    }),
  );

  test(
    "when a cancel races a completion exactly one of them wins",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const [a, b] = [await runningJob(store, N1), await runningJob(store, N1)];
      const finish = (id: typeof a) =>
        store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome: bytes("3") }]);
      const cancelFirst = await Promise.all([store.cancel([a], bytes("why")), finish(a)]);
      expect(cancelFirst).toMatchObject([["cancelling"], [{ cancelled: expect.anything() }]]);
      expect(await state(store, a)).toBe("cancelled");
      const finishFirst = await Promise.all([finish(b), store.cancel([b], bytes("why"))]);
      expect(finishFirst).toEqual([["committed"], ["final"]]);
      expect(await state(store, b)).toBe("succeeded");
    }),
  );

  test(
    "a job to be cancelled whose node is lost or leaves is cancelled, not queued again",
    withStore(open, async ({ store, pass }) => {
      await register(store, N2, SHORT_LEASE_MS);
      await register(store, N1);
      const onLost = await runningJob(store, N2);
      const onLeft = await runningJob(store, N1);
      await store.cancel([onLost, onLeft], bytes("why"));
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.sweep(N1, 3)).toEqual(NOTHING_SWEPT);
      await store.leave(N1);
      const records = await store.read([onLost, onLeft]);
      expect(records.map((record) => record?.state)).toEqual(["cancelled", "cancelled"]);
      expect(records.map((record) => shown(record?.outcome))).toEqual(["why", "why"]);
      expect(await store.activeJobs()).toEqual([]);
    }),
  );

  test(
    "hundreds of queued jobs are cancelled in one call, and the rest stays in order",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const jobs = Array.from({ length: 1200 }, () => newJob());
      await submit(store, ...jobs);
      const ids = jobs.slice(0, 1100).map(({ id }) => id);
      expect(new Set(await store.cancel(ids, bytes("all")))).toEqual(new Set(["cancelled"]));
      const rest = await claim(store, N1, { count: 1200 });
      expect(rest.map(({ id }) => id)).toEqual(jobs.slice(1100).map(({ id }) => id));
    }),
  );
}
