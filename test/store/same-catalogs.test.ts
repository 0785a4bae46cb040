import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { Store } from "../../src/store/port.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { catalogStep, contentsOf, performCatalogStep } from "./support/catalog-steps.ts";
import { DEFAULTS } from "./support/harness.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

const numRuns = Number(process.env["FC_RUNS"] ?? 80);

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
}, 180_000);
afterAll(() => redis.stop());

test("both catalogs answer the same to any order of calls", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(catalogStep, { minLength: 5, maxLength: 40 }), (steps) =>
      withBoth(async (embedded, remote) => {
        for (const step of steps) {
          const answer = async (store: Store): Promise<unknown> =>
            comparable([await performCatalogStep(store, step), await contentsOf(store)]);
          expect(await answer(remote)).toEqual(await answer(embedded));
        }
      }),
    ),
    { numRuns },
  );
}, 120_000);

/** Without times, on which they cannot agree. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !name.endsWith("AtMs"));
  return Object.fromEntries(kept.map(([name, inner]) => [name, comparable(inner)]));
}

async function withBoth(body: (embedded: Store, remote: Store) => Promise<void>): Promise<void> {
  const options = { cluster: randomUUID(), ...DEFAULTS };
  const embedded = openMemoryStore(options);
  const remote = await openRedisStore({ ...options, address: parseRedisAddress(redis.address) });
  try {
    await body(embedded, remote);
  } finally {
    await Promise.all([embedded.close(), remote.close()]);
  }
}
