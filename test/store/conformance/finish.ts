import { expect, test } from "vitest";
import type { JobId } from "../../../src/core/ids.ts";
import type { FinalState } from "../../../src/core/job-states.ts";
import type { FinishRow } from "../../../src/store/port.ts";
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
import { only } from "../support/offers.ts";

const ended = (id: JobId, next: FinalState, attempt = 1): FinishRow => ({
  id,
  attempt,
  next,
  outcome: bytes(next),
});
const givenBack = (id: JobId, attempt = 1): FinishRow => ({
  id,
  attempt,
  next: "queued",
  deaths: 0,
  throws: 1,
});
const FINAL_STATES: readonly FinalState[] = ["succeeded", "failed", "cancelled"];

export function describeFinish(open: OpenStore): void {
  test.each(FINAL_STATES)("a running job can end as %s", (next) =>
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const id = await runningJob(store, N1);
      expect(await store.finish(N1, [ended(id, next)])).toEqual(["committed"]);
      const [record] = await store.read([id]);
      expect(record).toMatchObject({ state: next, node: N1, finishedAtMs: expect.any(Number) });
      expect(shown(record?.outcome)).toBe(next);
    })(),
  );

  test.each(FINAL_STATES)("nothing leaves the state %s", (final) =>
    withStore(open, async ({ store }) => {
      await register(store, N1);
      await register(store, N2);
      const id = await runningJob(store, N1);
      await store.finish(N1, [ended(id, final)]);
      const others = FINAL_STATES.filter((next) => next !== final).map((next) => ended(id, next));
      expect(await store.finish(N1, [...others, givenBack(id)])).toEqual(["fenced", "fenced", "fenced"]);
      expect(await store.finish(N2, [ended(id, final)])).toEqual(["fenced"]);
      expect(await store.cancel([id], bytes("too late"))).toEqual(["final"]);
      await store.leave(N1);
      expect(await store.sweep(N2, 3)).toEqual(NOTHING_SWEPT);
      const [record] = await store.read([id]);
      expect(record?.state).toBe(final);
      expect(shown(record?.outcome)).toBe(final);
    })(),
  );

  test(
    "a queued job can only be claimed or cancelled: a commit for it is fenced",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const job = newJob();
      await submit(store, job);
      const rows = [
        ...FINAL_STATES.map((next) => ended(job.id, next, 0)),
        ended(job.id, "succeeded"),
        givenBack(job.id, 0),
      ];
      expect(new Set(await store.finish(N1, rows))).toEqual(new Set(["fenced"]));
      expect(await state(store, job.id)).toBe("queued");
    }),
  );

  test(
    "a commit of another node, of another attempt or for an unknown job is fenced and changes nothing",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      await register(store, N2);
      const id = await runningJob(store, N1);
      expect(await store.finish(N2, [ended(id, "succeeded")])).toEqual(["fenced"]);
      const rows = [ended(id, "succeeded", 2), ended(id, "failed", 0), ended(newId(), "failed")];
      expect(await store.finish(N1, rows)).toEqual(["fenced", "fenced", "fenced"]);
      expect(await state(store, id)).toBe("running");
    }),
  );

  test(
    "an earlier attempt is fenced once the job runs again, on the same node or another",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      await register(store, N2);
      const id = await runningJob(store, N1, { queue: "again" });
      await store.finish(N1, [givenBack(id)]);
      await claim(store, N2, { queues: ["again"] });
      expect(await store.finish(N1, [ended(id, "succeeded"), ended(id, "succeeded", 2)])).toEqual([
        "fenced",
        "fenced",
      ]);
      expect(await store.finish(N2, [ended(id, "failed", 2)])).toEqual(["committed"]);
    }),
  );

  test(
    "one reply a row comes back, in order",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const [a, b] = [await runningJob(store, N1), await runningJob(store, N1)];
      const rows = [ended(a, "succeeded"), ended(newId(), "failed"), givenBack(b), ended(b, "failed")];
      expect(await store.finish(N1, rows)).toEqual(["committed", "fenced", "committed", "fenced"]);
      expect(await store.finish(N1, [])).toEqual([]);
    }),
  );

  test(
    "a commit that is repeated answers as the first one did and changes nothing",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1);
      const [a, b] = [await runningJob(store, N1), await runningJob(store, N1, { queue: "again" })];
      const rows = [ended(a, "succeeded"), givenBack(b)];
      expect(await store.finish(N1, rows)).toEqual(["committed", "committed"]);
      const before = await store.read([a, b]);
      await pass(5);
      expect(await store.finish(N1, rows)).toEqual(["committed", "committed"]);
      expect(await store.read([a, b])).toEqual(before);
      expect(await claim(store, N1, { queues: ["again"] })).toHaveLength(1);
      expect(await store.finish(N1, [givenBack(b)])).toEqual(["committed"]);
      expect(await state(store, b)).toBe("running");
    }),
  );

  test(
    "commits of a node whose lease ran out are fenced, before and after the sweep",
    withStore(open, async ({ store, pass }) => {
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N2);
      const id = await runningJob(store, N1);
      await pass(SHORT_LEASE_MS + 10);
      expect(await store.finish(N1, [ended(id, "succeeded"), givenBack(id)])).toEqual(["fenced", "fenced"]);
      expect(await store.sweep(N2, 3)).toEqual(NOTHING_SWEPT);
      expect(await store.finish(N1, [ended(id, "succeeded")])).toEqual(["fenced"]);
      await register(store, N1);
      expect(await store.finish(N1, [ended(id, "succeeded")])).toEqual(["fenced"]);
      expect(await state(store, id)).toBe("queued");
    }),
  );

  test(
    "a job that was given back can be cancelled, and then stays so",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const id = await runningJob(store, N1, { queue: "again" });
      await store.finish(N1, [givenBack(id)]);
      expect(await store.cancel([id], bytes("why"))).toEqual(["cancelled"]);
      expect(await claim(store, N1, { queues: ["again"] })).toEqual([]);
      expect(await state(store, id)).toBe("cancelled");
    }),
  );

  test(
    "an attempt that was given back is fenced when its job ended while it waited, even as the attempt says",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const queued = await runningJob(store, N1);
      const unplaced = await runningJob(store, N1, { offers: only(N1) });
      await store.finish(N1, [givenBack(queued)]);
      await store.cancel([queued], bytes("why"));
      await store.leave(N1);
      await store.place([{ id: unplaced, offers: only(), placement: "", refusal: bytes("nobody") }]);
      await register(store, N1);
      expect(await store.finish(N1, [ended(queued, "cancelled"), ended(unplaced, "failed")])).toEqual([
        "fenced",
        "fenced",
      ]);
      const records = await store.read([queued, unplaced]);
      expect(records.map((record) => shown(record?.outcome))).toEqual(["why", "nobody"]);
    }),
  );

  test(
    "results expire after their time, and the id is then unknown",
    withStore(
      open,
      async ({ store, pass }) => {
        await register(store, N1);
        const job = newJob({ queue: "old" });
        await submit(store, job);
        await claim(store, N1, { queues: ["old"] });
        await store.appendOutput(N1, [
          { id: job.id, piece: { attempt: 1, index: 0, stream: "stdout", bytes: bytes("x"), atMs: 1 } },
        ]);
        await pass(600);
        expect(await state(store, job.id)).toBe("running");
        await store.finish(N1, [ended(job.id, "succeeded")]);
        expect(await state(store, job.id)).toBe("succeeded");
        await pass(600);
        expect(await store.read([job.id])).toEqual([undefined]);
        expect(await store.readOutput(job.id, 0)).toEqual([]);
        expect(await store.cancel([job.id], bytes(""))).toEqual(["unknown"]);
        expect(await store.finish(N1, [ended(job.id, "succeeded")])).toEqual(["fenced"]);
        await submit(store, { ...job, spec: bytes("another") });
        expect(await state(store, job.id)).toBe("queued");
      },
      { resultTtlMs: 550 },
    ),
  );
}
