import { describe, expect, test } from "vitest";
import { parseDataUrl } from "../../../src/core/data-url.ts";
import type { Store } from "../../../src/store/port.ts";
import {
  bytes,
  claim,
  HEAD,
  inboxOf,
  N1,
  N2,
  newId,
  newJob,
  type OpenStore,
  register,
  runningJob,
  shown,
  state,
  submit,
  withStore,
} from "../support/harness.ts";

const INPUTS = [parseDataUrl("my/table")];

async function ready(store: Store): Promise<unknown> {
  return (await store.sweep(HEAD, 3)).ready;
}

export function describeBlocked(open: OpenStore): void {
  describe("a blocked job", () => {
    test(
      "is in no queue until it is released, and then at the place of its submit",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        const first = await runningJob(store, N1);
        const blocked = newJob({ after: [first], inputs: INPUTS });
        const later = newJob();
        await submit(store, blocked, later);
        expect(await state(store, blocked.id)).toBe("queued");
        expect((await store.waiting()).queues).toEqual([{ queue: "default", jobs: 2 }]);
        expect(await store.activeJobs()).toContain(blocked.id);
        const inbox = await inboxOf(store, N2);
        await store.release([{ id: blocked.id, next: "queued", inputs: [] }]);
        expect(await inbox.next()).toEqual({ type: "wake", queue: "default", delayMs: 0 });
        const taken = await claim(store, N1);
        expect(taken.map(({ id }) => id)).toEqual([blocked.id, later.id]);
        expect(taken.map(({ spec }) => shown(spec))).toEqual([blocked, later].map(({ spec }) => shown(spec)));
      }),
    );

    test(
      "is released to those that it is then offered to, and placed anew with its inputs",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        await register(store, N2);
        const blocked = newJob({ after: [newId()] });
        await submit(store, blocked);
        const offers = { nodes: [{ node: N2, delayMs: 0 }], othersDelayMs: null };
        await store.release([{ id: blocked.id, next: "queued", offers, placement: "why", inputs: INPUTS }]);
        expect((await store.read([blocked.id]))[0]?.placement).toBe("why");
        expect(await claim(store, N1)).toEqual([]);
        await store.leave(N2);
        const { unplaced } = await store.sweep(HEAD, 3);
        expect(unplaced).toEqual([{ id: blocked.id, queue: "default", inputs: INPUTS }]);
      }),
    );

    test(
      "ends when it is released as ended, and its watchers hear of it",
      withStore(open, async ({ store }) => {
        const [failing, stopping] = [newJob({ after: [newId()] }), newJob({ after: [newId()] })];
        await submit(store, failing, stopping);
        const inbox = await inboxOf(store, HEAD);
        await store.release([
          { id: failing.id, next: "failed", outcome: bytes("as the other") },
          { id: stopping.id, next: "cancelled", outcome: bytes("with the other") },
        ]);
        const heard = [await inbox.next(), await inbox.next()];
        expect(heard).toMatchObject([
          { type: "finished", id: failing.id, state: "failed" },
          { type: "finished", id: stopping.id, state: "cancelled" },
        ]);
        const records = await store.read([failing.id, stopping.id]);
        expect(records.map((record) => shown(record?.outcome))).toEqual(["as the other", "with the other"]);
        expect((await store.waiting()).queues).toEqual([]);
      }),
    );

    test(
      "is listed by sweeps as ready when all that it waits for has ended or is not known",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        const [first, second] = [await runningJob(store, N1), await runningJob(store, N1)];
        const both = newJob({ after: [first, second], inputs: INPUTS, queue: "work" });
        const unknown = newJob({ after: [newId()] });
        await submit(store, both, unknown);
        const listed = { id: unknown.id, queue: "default", inputs: [], after: unknown.after };
        expect(await ready(store)).toEqual([listed]);
        await store.release([{ id: unknown.id, next: "queued", inputs: [] }]);
        const end = { attempt: 1, next: "succeeded", outcome: bytes("3") } as const;
        await store.finish(N1, [{ id: first, ...end }]);
        expect(await ready(store)).toEqual([]);
        await store.finish(N1, [{ id: second, ...end }]);
        expect(await ready(store)).toEqual([
          { id: both.id, queue: "work", inputs: INPUTS, after: both.after },
        ]);
      }),
    );

    test(
      "is cancelled at once, and then not released any more; nor is one twice",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        const [stopped, once] = [newJob({ after: [newId()] }), newJob({ after: [newId()] })];
        await submit(store, stopped, once);
        expect(await store.cancel([stopped.id], bytes("why"))).toEqual(["cancelled"]);
        const rows = [stopped, once].map(({ id }) => ({ id, next: "queued", inputs: [] }) as const);
        await store.release(rows);
        await store.release(rows);
        await store.release([{ id: once.id, next: "failed", outcome: bytes("too late") }]);
        expect((await claim(store, N1)).map(({ id }) => id)).toEqual([once.id]);
        expect(await state(store, stopped.id)).toBe("cancelled");
      }),
    );
  });
}
