// The Redis of a contestant: one of its own, as one would run it where jobs must not be lost.
import { Redis } from "ioredis";
import { freePort, startServer } from "../../test/store/support/redis.ts";

export interface BenchRedis {
  readonly port: number;
  readonly pid: number;
  /** What it has in memory, in bytes. */
  usedBytes(): Promise<number>;
  stop(): Promise<void>;
}

/** It appends every command to a file, which is synced once a second. */
export async function startBenchRedis(): Promise<BenchRedis> {
  const port = await freePort();
  const persistence = ["--appendonly", "yes", "--appendfsync", "everysec"];
  const { pid, stop } = await startServer({ args: ["--port", String(port), ...persistence] });
  return { port, pid, usedBytes: () => usedBytes(port), stop };
}

async function usedBytes(port: number): Promise<number> {
  const redis = new Redis({ port });
  try {
    return Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
  } finally {
    redis.disconnect();
  }
}
