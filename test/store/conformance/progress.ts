import { describe, expect, test } from "vitest";
import type { JobId, NodeName } from "../../../src/core/ids.ts";
import type { Store } from "../../../src/store/port.ts";
import {
  bytes,
  HEAD,
  inboxOf,
  N1,
  N2,
  type OpenStore,
  register,
  runningJob,
  withStore,
} from "../support/harness.ts";

const progress = { done: 1, total: 3, label: "röws to do" };

async function seen(store: Store, id: JobId): Promise<unknown> {
  const [record] = await store.read([id]);
  return record?.progress;
}

export function describeProgress(open: OpenStore): void {
  describe("progress", () => {
    const say = (store: Store, node: NodeName, id: JobId, attempt = 1): Promise<void> =>
      store.reportProgress(node, [{ id, attempt, progress }]);

    test(
      "is kept while the attempt runs, and told to other watchers",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        const id = await runningJob(store, N1);
        expect(await seen(store, id)).toBeUndefined();
        const inbox = await inboxOf(store, HEAD);
        await say(store, N1, id);
        expect(await inbox.next()).toEqual({ type: "progress", id, attempt: 1, progress });
        expect(await seen(store, id)).toEqual(progress);
        const unknown = { done: 7, total: null, label: "" };
        await store.reportProgress(N1, [{ id, attempt: 1, progress: unknown }]);
        expect(await seen(store, id)).toEqual(unknown);
        await store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome: bytes("3") }]);
        expect(await seen(store, id)).toBeUndefined();
      }),
    );

    test(
      "is dropped of attempts that are not the node's, and forgotten with its attempt",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        await register(store, N2);
        const id = await runningJob(store, N1, { queue: "again" });
        await say(store, N2, id);
        await say(store, N1, id, 2);
        expect(await seen(store, id)).toBeUndefined();
        await say(store, N1, id);
        await store.finish(N1, [{ id, attempt: 1, next: "queued", deaths: 0, throws: 1 }]);
        expect(await seen(store, id)).toBeUndefined();
        await store.claim({ node: N2, queues: ["again"], count: 1, takesData: true });
        expect(await seen(store, id)).toBeUndefined();
        await say(store, N1, id);
        expect(await seen(store, id)).toBeUndefined();
      }),
    );

    test(
      "stands beside output and a wish to cancel",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        const id = await runningJob(store, N1);
        await say(store, N1, id);
        const piece = { attempt: 1, index: 0, stream: "stdout", bytes: bytes("hello"), atMs: 1 } as const;
        await store.appendOutput(N1, [{ id, piece }]);
        expect(await store.cancel([id], bytes("why"))).toEqual(["cancelling"]);
        expect(await seen(store, id)).toEqual(progress);
        const [reply] = await store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome: bytes("3") }]);
        expect(reply).toMatchObject({ cancelled: expect.anything() });
        expect(await store.readOutput(id, 0)).toHaveLength(1);
      }),
    );
  });
}
