import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JobId } from "../../src/core/ids.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { NewJob, Store } from "../../src/store/port.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { bytes, claim, DEFAULTS, N1, newJob, register, state, submit } from "./support/harness.ts";
import { only } from "./support/offers.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

const numRuns = Number(process.env["FC_RUNS"] ?? 40);

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
}, 180_000);
afterAll(() => redis.stop());

/** Numbers stand for jobs: those that were submitted so far, in a circle. */
type Step =
  | { readonly do: "submit"; readonly jobs: readonly NewJob[] }
  | { readonly do: "claim"; readonly count: number }
  | { readonly do: "giveBack" | "cancel"; readonly numbers: readonly number[] };

const numbers = fc.uniqueArray(fc.nat({ max: 150 }), { maxLength: 12 });
const sometimes = <T>(value: T): fc.Arbitrary<T | object> =>
  fc.oneof({ weight: 15, arbitrary: fc.constant({}) }, fc.constant(value));
const job = fc
  .tuple(
    sometimes({ priority: 1 }),
    sometimes({ queue: "other" }),
    sometimes({ offers: only(N1) }),
    sometimes({ refusal: bytes("no") }),
  )
  .map((parts) => newJob(Object.assign({}, ...parts)));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("submit" as const), jobs: fc.array(job, { maxLength: 50, size: "max" }) }),
  fc.record({ do: fc.constant("claim" as const), count: fc.nat({ max: 40 }) }),
  fc.record({ do: fc.constantFrom("giveBack" as const, "cancel" as const), numbers }),
);

async function perform(store: Store, action: Step, ids: readonly JobId[]): Promise<unknown> {
  const chosen = (of: readonly number[]): JobId[] =>
    ids.length === 0 ? [] : of.map((number) => ids[number % ids.length]!);
  switch (action.do) {
    case "submit":
      return action.jobs.length > 0 && submit(store, ...action.jobs);
    case "claim":
      return (await claim(store, N1, { count: action.count, queues: ["other", "default"] })).map(
        ({ id, attempt }) => `${id} ${attempt}`,
      );
    case "cancel":
      return store.cancel([...new Set(chosen(action.numbers))], bytes("why"));
    case "giveBack": {
      const records = await store.read([...new Set(chosen(action.numbers))]);
      const rows = records.flatMap((record) =>
        record === undefined
          ? []
          : [{ id: record.id, attempt: record.attempt, next: "queued", deaths: 0, throws: 0 } as const],
      );
      return (await store.finish(N1, rows)).map((reply) => (typeof reply === "string" ? reply : "cancelled"));
    }
  }
}

test("queues of large batches are in the same order in both stores, whatever leaves them and comes back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25, size: "max" }), async (steps) => {
      const cluster = randomUUID();
      const address = parseRedisAddress(redis.address);
      const stores = [
        openMemoryStore({ cluster, ...DEFAULTS }),
        await openRedisStore({ cluster, address, ...DEFAULTS }),
      ];
      try {
        for (const store of stores) await register(store, N1);
        const ids: JobId[] = [];
        for (const action of [...steps, { do: "claim", count: 1000 } as const]) {
          const [embedded, remote] = await Promise.all(stores.map((store) => perform(store, action, ids)));
          expect(remote).toEqual(embedded);
          if (action.do === "submit") ids.push(...action.jobs.map(({ id }) => id));
          const [active, others] = await Promise.all(stores.map((store) => store.activeJobs()));
          expect(others!.toSorted()).toEqual(active!.toSorted());
        }
      } finally {
        await Promise.all(stores.map((store) => store.close()));
      }
    }),
    { numRuns },
  );
}, 120_000);

test("a job in the middle of a batch can be cancelled, and one that comes back keeps its place", async () => {
  const store = await openRedisStore({
    cluster: randomUUID(),
    address: parseRedisAddress(redis.address),
    ...DEFAULTS,
  });
  try {
    await register(store, N1);
    const jobs = Array.from({ length: 40 }, () => newJob());
    await submit(store, ...jobs);
    await store.cancel([jobs[3]!.id, jobs[16]!.id, jobs[39]!.id], bytes("why"));
    const first = await claim(store, N1, { count: 10 });
    const rows = first
      .slice(4)
      .toReversed()
      .map(({ id }) => ({ id, attempt: 1, next: "queued", deaths: 0, throws: 0 }) as const);
    await store.finish(N1, rows);
    const rest = await claim(store, N1, { count: 50 });
    const expected = jobs.filter((_, at) => ![3, 16, 39].includes(at)).map(({ id }) => id);
    expect([...first.slice(0, 4), ...rest].map(({ id }) => id)).toEqual(expected);
    expect(await state(store, jobs[16]!.id)).toBe("cancelled");
  } finally {
    await store.close();
  }
});
