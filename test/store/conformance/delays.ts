import { describe, expect, test } from "vitest";
import type { JobId } from "../../../src/core/ids.ts";
import type { FinishRow } from "../../../src/store/port.ts";
import {
  bytes,
  claim,
  HEAD,
  inboxOf,
  N1,
  N2,
  newJob,
  NOTHING_SWEPT,
  type OpenStore,
  runningJob,
  state,
  submit,
} from "../support/harness.ts";
import { ids, nextVisibleMs, only, withNodes } from "../support/offers.ts";

const DELAY_MS = 400;
/** So long that it does not pass while a test runs. */
const LONG_MS = 100_000;

const after = (id: JobId, delayMs: number, attempt = 1): FinishRow => ({
  id,
  attempt,
  next: "queued",
  deaths: 0,
  throws: attempt,
  delayMs,
});

export function describeDelays(open: OpenStore): void {
  describe("a job that goes back with a delay", () => {
    test(
      "is queued, and becomes visible when the delay has passed",
      withNodes(open, async ({ store, pass }) => {
        const id = await runningJob(store, N1, { queue: "default" });
        expect(await store.finish(N1, [after(id, DELAY_MS)])).toEqual(["committed"]);
        expect(await state(store, id)).toBe("queued");
        expect(await store.activeJobs()).toEqual([id]);
        expect(await ids(store, N2)).toEqual([]);
        await pass(DELAY_MS + 10);
        const [claimed] = await claim(store, N2);
        expect(claimed).toMatchObject({ id, attempt: 2, throws: 1 });
      }),
    );

    test(
      "comes back at its old place, before younger ones, however long it waited",
      withNodes(open, async ({ store, pass }) => {
        const jobs = [newJob(), newJob(), newJob()];
        await submit(store, ...jobs);
        await claim(store, N1, { count: 2 });
        await store.finish(N1, [after(jobs[1]!.id, DELAY_MS), after(jobs[0]!.id, DELAY_MS / 2)]);
        expect(await ids(store, N2, { count: 0 })).toEqual([]);
        await pass(DELAY_MS + 10);
        expect(await ids(store, N2)).toEqual(jobs.map(({ id }) => id));
      }),
    );

    test(
      "has nodes that serve its queue told in how many ms, and every claim that finds too little",
      withNodes(open, async ({ store }) => {
        const inbox = await inboxOf(store, N2);
        const [later, sooner] = [newJob(), newJob()];
        await submit(store, later, sooner);
        expect(await inbox.next()).toMatchObject({ type: "wake", queue: "default", delayMs: 0 });
        await claim(store, N1);
        await store.finish(N1, [after(later.id, 2 * LONG_MS), after(sooner.id, LONG_MS)]);
        expect(await inbox.next()).toEqual({ type: "wake", queue: "default", delayMs: LONG_MS });
        for (const node of [N1, N2]) {
          const leftMs = (await nextVisibleMs(store, node)) ?? 0;
          expect(leftMs).toBeGreaterThan(LONG_MS / 2);
          expect(leftMs).toBeLessThanOrEqual(LONG_MS);
        }
        const elsewhere = await store.claim({ node: N1, queues: ["other"], count: 1, takesData: true });
        expect(elsewhere).toMatchObject({ jobs: [], nextVisibleMs: undefined });
      }),
    );

    test(
      "for one node alone comes back to that one",
      withNodes(open, async ({ store, pass }) => {
        const job = newJob({ queue: "default|n1" });
        await submit(store, job);
        await claim(store, N1);
        await store.finish(N1, [after(job.id, DELAY_MS)]);
        expect(await nextVisibleMs(store, N1)).toBeGreaterThan(0);
        expect(await nextVisibleMs(store, N2)).toBeUndefined();
        await pass(DELAY_MS + 10);
        expect(await ids(store, N2)).toEqual([]);
        expect(await ids(store, N1)).toEqual([job.id]);
      }),
    );

    test(
      "that is offered is offered again to the same nodes, whichever finds that it is due",
      withNodes(open, async ({ store, pass }) => {
        const job = newJob({ offers: only(N1) });
        await submit(store, job);
        await claim(store, N1);
        await store.finish(N1, [after(job.id, DELAY_MS)]);
        expect(await ids(store, N1)).toEqual([]);
        await pass(DELAY_MS + 10);
        expect(await ids(store, N2)).toEqual([]);
        expect(await ids(store, N1)).toEqual([job.id]);
      }),
    );

    test(
      "can be cancelled at once",
      withNodes(open, async ({ store, pass }) => {
        const id = await runningJob(store, N1, { queue: "default" });
        await store.finish(N1, [after(id, DELAY_MS)]);
        expect(await store.cancel([id], bytes("why"))).toEqual(["cancelled"]);
        await pass(DELAY_MS + 10);
        expect(await ids(store, N1)).toEqual([]);
        expect(await store.activeJobs()).toEqual([]);
      }),
    );

    test(
      "is told of in the same words when its give-back is repeated",
      withNodes(open, async ({ store }) => {
        const id = await runningJob(store, N1, { queue: "default" });
        const row = after(id, LONG_MS);
        expect(await store.finish(N1, [row])).toEqual(["committed"]);
        expect(await store.finish(N1, [row])).toEqual(["committed"]);
        expect(await store.sweep(HEAD, 3)).toEqual(NOTHING_SWEPT);
        expect(await ids(store, N1)).toEqual([]);
      }),
    );
  });
}
