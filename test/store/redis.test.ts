import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { conformance } from "./conformance.ts";
import { DEFAULTS } from "./support/harness.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
}, 180_000);
afterAll(() => redis.stop());

conformance("the Redis store", async (options) => ({
  store: await openRedisStore({
    cluster: randomUUID(),
    address: parseRedisAddress(redis.address),
    ...DEFAULTS,
    ...options,
  }),
  // Time itself is awaited here: leases and expiries run by Redis's clock.
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}));
