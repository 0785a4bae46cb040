import { describe, expect, test } from "vitest";
import {
  bytes,
  claim,
  HEAD,
  N1,
  N2,
  NOTHING_SWEPT,
  type OpenStore,
  register,
  runningJob,
  SHORT_LEASE_MS,
  state,
} from "../support/harness.ts";
import { ids, withNodes } from "../support/offers.ts";

const ONCE = { isAtMostOnce: true, queue: "default" } as const;

export function describeOnce(open: OpenStore): void {
  describe("a job that runs at most once", () => {
    test(
      "is not queued again when its node is lost, but handed to a node that sweeps",
      withNodes(open, async ({ store, pass }) => {
        await register(store, N1, SHORT_LEASE_MS);
        const id = await runningJob(store, N1, ONCE);
        const other = await runningJob(store, N1);
        await pass(SHORT_LEASE_MS + 10);
        const exhausted = [{ id, attempt: 2, deaths: 1, isAtMostOnce: true, lostNode: N1 }];
        for (const _ of [1, 2]) expect(await store.sweep(N2, 3)).toMatchObject({ exhausted });
        expect(await state(store, other)).toBe("queued");
        expect(await ids(store, N2)).toEqual([]);
        expect(await store.finish(N2, [{ id, attempt: 2, next: "failed", outcome: bytes("lost") }])).toEqual([
          "committed",
        ]);
        expect(await store.sweep(N2, 3)).toEqual(NOTHING_SWEPT);
      }),
    );

    test(
      "is queued again when its node gives it back: then it had not begun",
      withNodes(open, async ({ store }) => {
        const id = await runningJob(store, N1, ONCE);
        await store.finish(N1, [{ id, attempt: 1, next: "queued", deaths: 0, throws: 0 }]);
        const [claimed] = await claim(store, N2);
        expect(claimed).toMatchObject({ id, attempt: 2, deaths: 0 });
      }),
    );

    test(
      "is lost with a node that leaves and has not said what became of it",
      withNodes(open, async ({ store }) => {
        const id = await runningJob(store, N1, ONCE);
        const other = await runningJob(store, N1, { queue: "default" });
        await store.leave(N1);
        expect(await ids(store, N2)).toEqual([other]);
        expect((await store.sweep(N2, 3)).exhausted).toMatchObject([
          { id, isAtMostOnce: true, lostNode: N1 },
        ]);
      }),
    );

    test(
      "ends as cancelled when that was asked for before its node was lost",
      withNodes(open, async ({ store }) => {
        const id = await runningJob(store, N1, ONCE);
        expect(await store.cancel([id], bytes("why"))).toEqual(["cancelling"]);
        await store.leave(N1);
        expect(await store.sweep(HEAD, 3)).toEqual(NOTHING_SWEPT);
        expect(await state(store, id)).toBe("cancelled");
      }),
    );
  });
}
