import { afterAll, beforeAll } from "vitest";
import { startRedis, type TestRedis } from "../store/support/redis.ts";

/** The stores that every behaviour of a node must hold on. */
export const STORES = ["embedded", "redis"] as const;
export type StoreName = (typeof STORES)[number];

/** Gives `startCluster` options for a store; the Redis is started for the test file and ended with it. */
export function useStore(store: StoreName): () => { redisConnection?: string } {
  let redis: TestRedis | undefined;
  beforeAll(async () => {
    if (store === "redis") redis = await startRedis();
  });
  afterAll(async () => {
    await redis?.stop();
  });
  return () => (redis === undefined ? {} : { redisConnection: redis.address });
}
