import { describe, expect, test } from "vitest";
import { parseNodeName } from "../../../src/core/ids.ts";
import { claim, N1, newJob, type OpenStore, register, submit, withStore } from "../support/harness.ts";
import { only, to } from "../support/offers.ts";

export function describeInspection(open: OpenStore): void {
  describe("a store that is looked into", () => {
    test(
      "tells where jobs wait, and how many",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        expect(await store.waiting()).toEqual({ queues: [], unplaced: 0 });
        const many = Array.from({ length: 40 }, () => newJob({ queue: "many" }));
        await submit(store, ...many);
        await submit(store, newJob({ queue: "gpu" }), newJob({ queue: "gpu", offers: to(N1, 0) }));
        await submit(
          store,
          newJob({ queue: "default|node9" }),
          newJob({ offers: only(parseNodeName("gone")) }),
        );
        const running = newJob({ queue: "many" });
        await submit(store, running);
        await claim(store, N1, { queues: ["many"], count: 3 });
        await store.cancel([many[20]!.id], new Uint8Array([1]));
        const { queues, unplaced } = await store.waiting();
        expect(queues.toSorted((a, b) => (a.queue < b.queue ? -1 : 1))).toEqual([
          { queue: "default", jobs: 1 },
          { queue: "default|node9", jobs: 1 },
          { queue: "gpu", jobs: 2 },
          { queue: "many", jobs: 37 },
        ]);
        expect(unplaced).toBe(1);
      }),
    );

    test(
      "tells its time, and how it is",
      withStore(open, async ({ store }) => {
        const [first, second] = [await store.now(), await store.now()];
        expect(second).toBeGreaterThanOrEqual(first);
        const { kind, servers } = await store.diagnose();
        expect(kind === "embedded").toBe(store.kind === "embedded");
        expect(servers.length > 0).toBe(store.kind === "redis");
        for (const server of servers)
          expect(server).toMatchObject({ isSupported: true, evictionPolicy: "noeviction", failedWrites: [] });
      }),
    );
  });
}
