// The Redis of a contestant: one of its own, as one would run it where jobs must not be lost.
import { Redis } from "ioredis";
import { freePort, startServer } from "../../test/store/support/redis.ts";

export interface BenchRedis {
  readonly port: number;
  readonly pid: number;
  /** What it has in memory, in bytes. */
  usedBytes(): Promise<number>;
  /** What its scripts have taken so far, in µs. */
  scriptsUs(): Promise<number>;
  stop(): Promise<void>;
}

/** It appends every command to a file, which is synced once a second. */
export async function startBenchRedis(): Promise<BenchRedis> {
  const port = await freePort();
  const persistence = ["--appendonly", "yes", "--appendfsync", "everysec"];
  const { pid, stop } = await startServer({ args: ["--port", String(port), ...persistence] });
  return {
    port,
    pid,
    usedBytes: async () => numberIn(await ask(port, "memory"), /used_memory:(\d+)/),
    scriptsUs: async () => numberIn(await ask(port, "commandstats"), /cmdstat_evalsha:calls=\d+,usec=(\d+)/),
    stop,
  };
}

async function ask(port: number, section: string): Promise<string> {
  const redis = new Redis({ port });
  try {
    return await redis.info(section);
  } finally {
    redis.disconnect();
  }
}

/** 0 when it is not there: nothing has been counted so far. */
function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}
