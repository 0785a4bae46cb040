import { expect, test } from "vitest";
import { KitchenError } from "../../../src/core/errors.ts";
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
  submit,
  withStore,
  SHORT_LEASE_MS,
} from "../support/harness.ts";

const NO_UNITS = { units: new Map(), needs: [] };

export function describeEvents(open: OpenStore): void {
  test(
    "the watcher of a submit hears of the end of its jobs, and of nobody else's",
    withStore(open, async ({ store }) => {
      const inbox = await inboxOf(store, HEAD);
      await register(store, N1);
      const others = newJob();
      await store.submit({ watcher: N2, jobs: [others], ...NO_UNITS });
      expect(await inbox.next()).toEqual({ type: "wake", queue: "default", delayMs: 0 });
      const mine = newJob();
      await submit(store, mine);
      await claim(store, N1);
      const rows = [others, mine].map(
        ({ id }) => ({ id, attempt: 1, next: "succeeded", outcome: bytes(id) }) as const,
      );
      await store.finish(N1, rows);
      const event = await inbox.next();
      expect(event).toMatchObject({ type: "finished", id: mine.id, state: "succeeded" });
      expect(event.type === "finished" && shown(event.outcome)).toBe(mine.id);
    }),
  );

  test(
    "a node needs no event of what it says itself, but hears of cancels",
    withStore(open, async ({ store }) => {
      const inbox = await inboxOf(store, N1);
      await register(store, N1);
      const [a, b] = [newJob(), newJob()];
      await store.submit({ watcher: N1, jobs: [a, b], ...NO_UNITS });
      await claim(store, N1, { count: 1 });
      await store.appendOutput(N1, [
        { id: a.id, piece: { attempt: 1, index: 0, stream: "stdout", bytes: bytes("x"), atMs: 1 } },
      ]);
      await store.cancel([a.id], bytes("why"));
      expect(await inbox.next()).toEqual({ type: "cancel", id: a.id, attempt: 1 });
      await store.finish(N1, [{ id: a.id, attempt: 1, next: "succeeded", outcome: bytes("") }]);
      await store.cancel([b.id], bytes("why"));
      expect(await inbox.next()).toMatchObject({ type: "finished", id: b.id, state: "cancelled" });
    }),
  );

  test(
    "events come after the call that caused them, never inside it",
    withStore(open, async ({ store }) => {
      const inbox = await inboxOf(store, HEAD);
      const job = newJob();
      await submit(store, job);
      const cancelling = store.cancel([job.id], bytes("why"));
      expect(inbox.count).toBe(0);
      await cancelling;
      expect(await inbox.next()).toMatchObject({ type: "finished", id: job.id });
    }),
  );

  test(
    "watching a job tells how it is, and from then on what becomes of it",
    withStore(open, async ({ store }) => {
      const inbox = await inboxOf(store, N2);
      await register(store, N1);
      const [id, unwatched] = [await runningJob(store, N1), await runningJob(store, N1)];
      const records = await store.watch([id, newId()], N2);
      expect(records).toMatchObject([{ id, state: "running" }, undefined]);
      await store.watch([id], N2);
      const finished = (job: typeof id) =>
        ({ id: job, attempt: 1, next: "failed", outcome: bytes("no") }) as const;
      await store.finish(N1, [finished(unwatched), finished(id)]);
      let event = await inbox.next();
      while (event.type === "wake") event = await inbox.next();
      expect(event).toMatchObject({ type: "finished", id, state: "failed" });
    }),
  );

  test(
    "watching a job that is final tells its end at once and sends nothing",
    withStore(open, async ({ store }) => {
      const inbox = await inboxOf(store, HEAD);
      await register(store, N1);
      const id = await runningJob(store, N1);
      await store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome: bytes("3") }]);
      expect(await inbox.next()).toMatchObject({ type: "finished", id });
      const [record] = await store.watch([id], HEAD);
      expect(shown(record?.outcome)).toBe("3");
      await store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome: bytes("3") }]);
      const job = newJob();
      await submit(store, job);
      await store.cancel([job.id], bytes(""));
      expect(await inbox.next()).toMatchObject({ type: "finished", id: job.id });
    }),
  );

  test(
    "who submits a known job watches it too",
    withStore(open, async ({ store }) => {
      const inbox = await inboxOf(store, N2);
      const job = newJob();
      await store.submit({ watcher: HEAD, jobs: [job], ...NO_UNITS });
      expect(await inbox.next()).toEqual({ type: "wake", queue: "default", delayMs: 0 });
      await store.submit({ watcher: N2, jobs: [job], ...NO_UNITS });
      await store.cancel([job.id], bytes("why"));
      expect(await inbox.next()).toMatchObject({ type: "finished", id: job.id });
    }),
  );

  test(
    "jobs that go back to a queue wake nodes: by a give-back, a leave and a sweep",
    withStore(open, async ({ store, pass }) => {
      const inbox = await inboxOf(store, HEAD);
      await register(store, N1);
      const id = await runningJob(store, N1, { queue: "work" });
      await store.finish(N1, [{ id, attempt: 1, next: "queued", deaths: 0, throws: 1 }]);
      expect(await inbox.next()).toEqual({ type: "wake", queue: "work", delayMs: 0 });
      await claim(store, N1, { queues: ["work"] });
      await store.leave(N1);
      expect(await inbox.next()).toEqual({ type: "wake", queue: "work", delayMs: 0 });
      await register(store, N1, SHORT_LEASE_MS);
      await register(store, N2);
      await claim(store, N1, { queues: ["work"] });
      await pass(SHORT_LEASE_MS + 10);
      await store.sweep(HEAD, 3);
      expect(await inbox.next()).toEqual({ type: "wake", queue: "work", delayMs: 0 });
    }),
  );

  test(
    "a store delivers to one node only",
    withStore(open, async ({ store }) => {
      await inboxOf(store, N1);
      await expect(inboxOf(store, N2)).rejects.toThrow(/delivers to one node/);
    }),
  );

  test("a closed store rejects every call, and may be closed twice", async () => {
    const { store } = await open();
    await store.close();
    await store.close();
    await expect(store.nodes()).rejects.toThrow(KitchenError);
    await expect(store.read([newId()])).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
    await expect(store.subscribe(N1, () => undefined)).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  });
}
