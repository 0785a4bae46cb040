import { expect, test } from "vitest";
import { bytes, claim, HEAD, inboxOf, N1, N2, newId, type OpenStore, register } from "../support/harness.ts";
import { runningJob, withStore } from "../support/harness.ts";

export function describeStreaming(open: OpenStore): void {
  test(
    "watchers learn that a result is a stream of items, and so does who watches later",
    withStore(open, async ({ store }) => {
      const inbox = await inboxOf(store, HEAD);
      await register(store, N1);
      const id = await runningJob(store, N1);
      const [before] = await store.read([id]);
      await store.markStreaming(N1, [{ id, attempt: 1 }]);
      expect(await inbox.next()).toEqual({ type: "streaming", id, attempt: 1 });
      const [after] = await store.watch([id], N2);
      expect([before?.streams, after?.streams]).toEqual([undefined, 1]);
    }),
  );

  test(
    "the node that runs the job gets no event for what it said itself",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const id = await runningJob(store, N1);
      const inbox = await inboxOf(store, N1);
      await store.watch([id], N1);
      await store.markStreaming(N1, [{ id, attempt: 1 }]);
      await store.cancel([id], bytes("no more"));
      expect(await inbox.next()).toEqual({ type: "cancel", id, attempt: 1 });
    }),
  );

  test(
    "what other nodes and fenced attempts say of a stream is dropped",
    withStore(open, async ({ store }) => {
      await register(store, N1);
      const id = await runningJob(store, N1, { queue: "again" });
      await store.markStreaming(N2, [{ id, attempt: 1 }]);
      await store.markStreaming(N1, [
        { id, attempt: 2 },
        { id: newId(), attempt: 1 },
      ]);
      expect((await store.read([id]))[0]?.streams).toBeUndefined();
      await store.markStreaming(N1, [{ id, attempt: 1 }]);
      await store.finish(N1, [{ id, attempt: 1, next: "queued", deaths: 1, throws: 0 }]);
      await claim(store, N1, { queues: ["again"] });
      await store.markStreaming(N1, [{ id, attempt: 1 }]);
      const [record] = await store.read([id]);
      expect([record?.attempt, record?.streams]).toEqual([2, 1]);
    }),
  );
}
