import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { conformance } from "./conformance.ts";
import { DEFAULTS } from "./support/harness.ts";
import { startRedisCluster, type TestRedisCluster } from "./support/redis-cluster.ts";

let cluster: TestRedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster({ password: "p:a/s@s" });
}, 180_000);
afterAll(() => cluster.stop());

conformance("the store on a Redis Cluster of three masters", async (options) => ({
  store: await openRedisStore({
    cluster: randomUUID(),
    address: parseRedisAddress(cluster.address),
    ...DEFAULTS,
    ...options,
  }),
  // Time itself is awaited here: leases and expiries run by Redis's clock.
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}));
