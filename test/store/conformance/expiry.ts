import { describe, expect, test } from "vitest";
import type { JobId } from "../../../src/core/ids.ts";
import type { Expiring, Store } from "../../../src/store/port.ts";
import {
  bytes,
  claim,
  HEAD,
  inboxOf,
  N1,
  N2,
  newJob,
  type OpenStore,
  register,
  SHORT_LEASE_MS,
  shown,
  state,
  submit,
} from "../support/harness.ts";
import { ids, only, unplaced, withNodes } from "../support/offers.ts";

const TTL_MS = 300;
const LONG_MS = 100_000;
const NOTHING: Expiring = { due: [], nextMs: undefined };

const expire = (store: Store, ...jobs: readonly JobId[]): Promise<Expiring> =>
  store.expire(jobs.map((id) => ({ id, outcome: bytes("too late") })));

export function describeExpiry(open: OpenStore): void {
  describe("a job that may wait so long and no longer", () => {
    test(
      "is begun as others are before its time has come, and not touched by it when it runs",
      withNodes(open, async ({ store, pass }) => {
        const job = newJob({ ttlMs: TTL_MS });
        await submit(store, job, newJob({ ttlMs: LONG_MS }), newJob());
        expect((await expire(store, job.id)).due).toEqual([]);
        expect(await ids(store, N1)).toHaveLength(3);
        expect(await expire(store)).toEqual(NOTHING);
        await pass(TTL_MS + 10);
        expect(await expire(store, job.id)).toEqual(NOTHING);
        expect(
          await store.finish(N1, [{ id: job.id, attempt: 1, next: "succeeded", outcome: bytes("3") }]),
        ).toEqual(["committed"]);
      }),
    );

    test(
      "is not begun later, and the jobs behind it are",
      withNodes(open, async ({ store, pass }) => {
        const late = Array.from({ length: 5 }, () => newJob({ ttlMs: TTL_MS }));
        const own = newJob({ ttlMs: TTL_MS, queue: "default|n1" });
        const offered = newJob({ ttlMs: TTL_MS, offers: only(N1) });
        const rest = [newJob(), newJob()];
        await submit(store, own, ...late, offered, ...rest);
        await pass(TTL_MS + 10);
        expect(await ids(store, N1, { count: 1 })).toEqual([rest[0]!.id]);
        expect(await ids(store, N1)).toEqual([rest[1]!.id]);
        expect(await state(store, late[0]!.id)).toBe("queued");
        expect(await store.activeJobs()).toHaveLength(9);
      }),
    );

    test(
      "is listed when its time has come, until it is ended, of which every watcher hears",
      withNodes(open, async ({ store, pass }) => {
        const inbox = await inboxOf(store, HEAD);
        const job = newJob({ ttlMs: TTL_MS, label: "test.slow" });
        await submit(store, job);
        expect((await expire(store)).nextMs).toBeLessThanOrEqual(TTL_MS);
        await pass(TTL_MS + 10);
        const about = { id: job.id, queue: "default", label: "test.slow" };
        const due = [{ ...about, ttlMs: TTL_MS, attempt: 0, pastDeaths: [] }];
        for (const _ of [1, 2]) expect(await expire(store)).toEqual({ due, nextMs: undefined });
        expect(await expire(store, job.id)).toEqual(NOTHING);
        expect(await inbox.next()).toMatchObject({ type: "finished", id: job.id, state: "failed" });
        const [record] = await store.read([job.id]);
        expect(record).toMatchObject({ state: "failed", attempt: 0, node: undefined });
        expect(shown(record?.outcome)).toBe("too late");
        expect(await ids(store, N1)).toEqual([]);
        expect(await store.activeJobs()).toEqual([]);
      }),
    );

    test(
      "can be ended or cancelled when a claim has passed it over",
      withNodes(open, async ({ store, pass }) => {
        const [a, b] = [newJob({ ttlMs: TTL_MS }), newJob({ ttlMs: TTL_MS, offers: only(N1) })];
        const [c, d] = [newJob({ ttlMs: TTL_MS }), newJob({ ttlMs: TTL_MS, offers: only(N1) })];
        await submit(store, a, b, c, d);
        await pass(TTL_MS + 10);
        expect(await ids(store, N1)).toEqual([]);
        expect(await store.cancel([c.id, d.id], bytes("why"))).toEqual(["cancelled", "cancelled"]);
        const { due } = await expire(store);
        expect(due.map(({ id }) => id).toSorted()).toEqual([a.id, b.id].toSorted());
        expect(await expire(store, a.id, b.id, c.id)).toEqual(NOTHING);
        expect(await state(store, a.id)).toBe("failed");
        expect(await state(store, c.id)).toBe("cancelled");
        expect(await store.activeJobs()).toEqual([]);
      }),
    );

    test(
      "does not begin again either when it is late by then, after a pause or a lost node",
      withNodes(open, async ({ store, pass }) => {
        await register(store, N2, SHORT_LEASE_MS);
        const [thrown, lost] = [newJob({ ttlMs: TTL_MS }), newJob({ ttlMs: TTL_MS })];
        await submit(store, thrown);
        await claim(store, N1);
        await submit(store, lost);
        await claim(store, N2);
        await store.finish(N1, [
          { id: thrown.id, attempt: 1, next: "queued", deaths: 0, throws: 1, delayMs: LONG_MS },
        ]);
        await pass(SHORT_LEASE_MS + 10);
        await store.sweep(N1, 3);
        expect(await ids(store, N1)).toEqual([]);
        const { due } = await expire(store);
        const told = new Map(due.map(({ id, attempt, pastDeaths }) => [id, { attempt, pastDeaths }]));
        expect(told.size).toBe(2);
        expect(told.get(thrown.id)).toEqual({ attempt: 1, pastDeaths: [] });
        expect(told.get(lost.id)).toEqual({ attempt: 1, pastDeaths: [expect.stringContaining(N2)] });
        expect(await expire(store, thrown.id, lost.id)).toEqual(NOTHING);
        expect(await store.activeJobs()).toEqual([]);
      }),
    );

    test(
      "ends as well while it is unplaced",
      withNodes(open, async ({ store, pass }) => {
        const job = newJob({ ttlMs: TTL_MS, offers: only(HEAD), inputs: [] });
        await submit(store, job);
        expect(await unplaced(store)).toEqual([job.id]);
        await pass(TTL_MS + 10);
        expect(await expire(store, job.id)).toEqual(NOTHING);
        expect(await unplaced(store)).toEqual([]);
        expect(await state(store, job.id)).toBe("failed");
      }),
    );

    test(
      "has others listed behind it, some hundred at once",
      withNodes(open, async ({ store, pass }) => {
        const jobs = Array.from({ length: 700 }, () => newJob({ ttlMs: TTL_MS }));
        await submit(store, ...jobs, newJob({ ttlMs: LONG_MS }));
        await pass(TTL_MS + 10);
        const first = await expire(store);
        expect(first).toMatchObject({ nextMs: 0 });
        expect(first.due).toHaveLength(500);
        const second = await expire(store, ...first.due.map(({ id }) => id));
        expect(second.due).toHaveLength(200);
        expect(second.nextMs).toBeGreaterThan(TTL_MS);
      }),
    );
  });
}
