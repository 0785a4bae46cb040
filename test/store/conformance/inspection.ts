import { describe, expect, test } from "vitest";
import { parseNodeName } from "../../../src/core/ids.ts";
import {
  claim,
  N1,
  newJob,
  type OpenStore,
  register,
  runningJob,
  submit,
  withStore,
} from "../support/harness.ts";
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
      "tells some of many jobs: all that run, and the last in line of each queue",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        const many = Array.from({ length: 100 }, () => newJob({ queue: "many" }));
        await submit(store, ...many);
        for (const job of many.slice(90)) await store.cancel([job.id], new Uint8Array([1]));
        const [running] = await claim(store, N1, { queues: ["many"], count: 1 });
        const offered = newJob({ offers: to(N1, 0) });
        const blocked = newJob({ after: [running!.id] });
        await submit(store, offered, blocked);
        const some = await store.someActive(5);
        expect(new Set(some).size).toBe(some.length);
        expect(some.length).toBeLessThan(5 + 2 * 16 + 3);
        const last = many.slice(85, 90).map(({ id }) => id);
        expect(some).toEqual(expect.arrayContaining([running!.id, offered.id, blocked.id, ...last]));
        expect((await store.someActive(1_000)).toSorted()).toEqual((await store.activeJobs()).toSorted());
      }),
    );

    test(
      "tells of jobs without what may be large",
      withStore(open, async ({ store }) => {
        await register(store, N1);
        const id = await runningJob(store, N1, { placement: "here" });
        await store.finish(N1, [{ id, attempt: 1, next: "succeeded", outcome: new Uint8Array(10_000) }]);
        const [record] = await store.read([id]);
        const { placement, outcome, pastDeaths, ...facts } = record!;
        expect({ placement, size: outcome?.length, pastDeaths }).toEqual({
          placement: "here",
          size: 10_000,
          pastDeaths: [],
        });
        expect(await store.look([newJob().id, id])).toEqual([undefined, facts]);
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
        const addresses = servers.map(({ address }) => address);
        expect(new Set(addresses).size).toBe(servers.length);
        for (const address of addresses) expect(address).toMatch(/^(127\.0\.0\.1|localhost):\d+$|^\//);
      }),
    );
  });
}
