import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster } from "../../src/testing/start-cluster.ts";
import { startRedisCluster, type TestRedisCluster } from "./support/redis-cluster.ts";

let redis: TestRedisCluster;
beforeAll(async () => {
  redis = await startRedisCluster();
}, 180_000);
afterAll(() => redis.stop());

test("nodes on a Redis Cluster share the jobs of captured functions", async () => {
  await using cluster = await startCluster({ nodes: 2, redisConnection: redis.address });
  const factor = 3;
  expect(await cluster.client.call((value: number) => value * factor, 14)).toBe(42);
  const slow = async (): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return process.pid;
  };
  const pids = await cluster.client.map(slow, [1, 2, 3, 4]);
  expect(new Set(pids).size).toBe(2);
  expect(cluster.nodes).toHaveLength(2);
});
