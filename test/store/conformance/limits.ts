import { describe, expect, test } from "vitest";
import type { NewJob, Store, SubmitReply } from "../../../src/store/port.ts";
import {
  bytes,
  claim,
  HEAD,
  N1,
  N2,
  newJob,
  type OpenStore,
  register,
  state,
  submit,
  withStore,
} from "../support/harness.ts";
import { only } from "../support/offers.ts";

const LIMIT = { queueLimit: 20 };

const send = (store: Store, ...jobs: readonly NewJob[]): Promise<SubmitReply> =>
  store.submit({ watcher: HEAD, jobs, units: new Map(), needs: [] });
const jobs = (count: number, options: Partial<NewJob> = {}): NewJob[] =>
  Array.from({ length: count }, () => newJob(options));
const full = (waiting: number, queue = "default"): SubmitReply => ({
  type: "full",
  queue,
  waiting,
  limit: 20,
});

export function describeLimits(open: OpenStore): void {
  describe("a queue at its limit", () => {
    test(
      "takes no batch that would bring more, and nothing of it",
      withStore(
        open,
        async ({ store }) => {
          await register(store, N1);
          expect(await send(store, ...jobs(21))).toEqual(full(0));
          await submit(store, ...jobs(18));
          const others = jobs(2, { queue: "other" });
          const batch = [...others, ...jobs(2), ...jobs(1, { priority: 5 })];
          expect(await send(store, ...batch)).toEqual(full(18));
          expect(await store.read(batch.map(({ id }) => id))).toEqual(batch.map(() => undefined));
          await submit(store, ...jobs(2));
          expect(await send(store, newJob())).toEqual(full(20));
          await submit(store, ...jobs(20, { queue: "other" }));
          expect(await send(store, newJob(), newJob({ queue: "other" }))).toEqual(full(20));
          expect(await claim(store, N1, { count: 50 })).toHaveLength(20);
        },
        LIMIT,
      ),
    );

    test(
      "takes what it knows already, and what is refused anyway",
      withStore(
        open,
        async ({ store }) => {
          const first = jobs(20);
          await submit(store, ...first);
          expect(await send(store, ...first)).toMatchObject({ type: "queued" });
          expect(await send(store, newJob({ refusal: bytes("no") }))).toMatchObject({ type: "queued" });
          expect(await send(store, ...first, newJob())).toEqual(full(20));
        },
        LIMIT,
      ),
    );

    test(
      "has room again for as many as are claimed, cancelled or overdue",
      withStore(
        open,
        async ({ store, pass }) => {
          await register(store, N1);
          const [some, offered, late] = [jobs(8), jobs(6, { offers: only(N1) }), jobs(6, { ttlMs: 50 })];
          await submit(store, ...some, ...offered, ...late);
          expect(await send(store, newJob())).toEqual(full(20));
          await store.cancel([some[3]!.id, offered[5]!.id], bytes("why"));
          expect(await send(store, ...jobs(3))).toEqual(full(18));
          expect(await claim(store, N1, { count: 9 })).toHaveLength(9);
          expect(await send(store, ...jobs(12))).toEqual(full(9));
          await pass(60);
          await store.expire(late.slice(0, 2).map(({ id }) => ({ id, outcome: bytes("late") })));
          expect(await send(store, ...jobs(14))).toEqual(full(7));
          expect(await claim(store, N1)).toHaveLength(3);
          expect(await send(store, ...jobs(21))).toEqual(full(0));
          await store.expire(late.slice(2).map(({ id }) => ({ id, outcome: bytes("late") })));
          expect(await send(store, ...jobs(21))).toEqual(full(0));
        },
        LIMIT,
      ),
    );

    test(
      "takes back all that comes back to it, and counts it",
      withStore(
        open,
        async ({ store }) => {
          for (const node of [N1, N2]) await register(store, node);
          await submit(store, ...jobs(20));
          const taken = await claim(store, N1, { count: 5 });
          await submit(store, ...jobs(5));
          const back = taken.slice(0, 3).map(({ id }, at) => ({
            id,
            attempt: 1,
            next: "queued" as const,
            deaths: 0,
            throws: 1,
            delayMs: at === 0 ? 100_000 : 0,
          }));
          expect(await store.finish(N1, back)).toEqual(["committed", "committed", "committed"]);
          await store.leave(N1);
          expect(await send(store, newJob())).toEqual(full(25));
          expect(await state(store, taken[0]!.id)).toBe("queued");
        },
        LIMIT,
      ),
    );

    test(
      "may be one of a node alone, and then is a limit for that node",
      withStore(
        open,
        async ({ store }) => {
          await register(store, N1);
          await submit(store, ...jobs(20, { queue: "default|n1" }));
          expect(await send(store, newJob({ queue: "default|n1" }))).toEqual(full(20, "default|n1"));
          await submit(store, ...jobs(20));
          expect(await claim(store, N1, { count: 30 })).toHaveLength(30);
          expect(await send(store, ...jobs(11))).toEqual(full(10));
          expect(await send(store, ...jobs(21, { queue: "default|n1" }))).toEqual(full(0, "default|n1"));
        },
        LIMIT,
      ),
    );
  });
}
