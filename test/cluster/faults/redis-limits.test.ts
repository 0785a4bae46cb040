import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startCluster, type Cluster } from "kitchensink/testing";
import { expect, onTestFinished, test } from "vitest";
import { Collected } from "../../support/collect.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { startRedis } from "../../store/support/redis.ts";
import { mayTakeLong, untilAborted } from "../fixtures/jobs.mjs";
import { note, printUntilThere } from "./fixtures/jobs.mjs";

interface Place {
  readonly cluster: Cluster;
  readonly raw: Redis;
  readonly warnings: readonly string[];
}

async function startPlace(args: readonly string[] = [], leaseMs = 1_500): Promise<Place> {
  const redis = await startRedis({ args });
  const raw = new Redis(redis.port);
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const log = { debug: () => {}, info: () => {}, warn, error: () => {} };
  const cluster = await startCluster({
    redisConnection: redis.address,
    nodes: 2,
    numWorkers: 2,
    leaseMs,
    graceMs: 100,
    log,
  });
  onTestFinished(async () => {
    await cluster.close();
    raw.disconnect();
    await redis.stop();
  });
  return { cluster, raw, warnings };
}

test("fault 23: Redis is at its memory limit: calls are refused, and what was taken before goes on to its end", async () => {
  const { cluster, raw } = await startPlace();
  const [c, other] = [cluster.connect(0), cluster.connect(1)];
  const file = join(temporaryDirectory(), "file");
  const said = new Collected();
  const pinned = c.with({ node: "node1" });
  const printing = pinned.with({ output: said.sinks }).call(printUntilThere, file, "line", 20);
  const cancelled = pinned.call(untilAborted);
  for (const job of [printing, cancelled])
    await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
  await expect.poll(() => said.text("stdout")).toContain("2 line\n");
  const queued = [1, 2, 3].map((n) => pinned.call(note, file + n, n));
  for (const job of queued) await job.status().catch(() => undefined);
  await expect.poll(() => queued[2]!.status().catch(() => undefined)).toMatchObject({ state: "queued" });

  await raw.config("SET", "maxmemory", "1");
  await expect(other.call(mayTakeLong, false)).rejects.toMatchObject({
    code: "KS_UNAVAILABLE",
    message: expect.stringMatching(/memory limit/),
  });
  const lines = said.text("stdout").split("\n").length;
  await expect.poll(() => said.text("stdout").split("\n").length).toBeGreaterThan(lines + 3);
  const end = expect(cancelled).rejects.toMatchObject({ code: "KS_CANCELLED" });
  await cancelled.cancel("enough");
  await end;
  expect(await Promise.all(queued)).toEqual([1, 2, 3]);
  // Longer than a lease: a node that could not renew it would not be ready.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  for (const url of cluster.urls) expect((await fetch(new URL("/ready", url))).status).toBe(200);
  writeFileSync(file, "");
  expect(await printing).toBe("printed");
  expect(await other.job(printing.id).status()).toMatchObject({ state: "succeeded", attempt: 1, deaths: 0 });

  await raw.config("SET", "maxmemory", "0");
  expect(await other.call(mayTakeLong, false)).toBe(false);
  const log = new Collected();
  await other.with({ output: log.sinks }).result(printing.id);
  expect(log.text("stdout")).toMatch(/^0 line\n/);
  expect(log.text("stderr")).toContain("the Redis is at its memory limit");
});

test("fault 23: a Redis that may evict is warned of when a node starts", async () => {
  const { warnings } = await startPlace(["--maxmemory-policy", "allkeys-lru"]);
  expect(warnings).toContainEqual(
    expect.stringMatching(/throw jobs away .*allkeys-lru.* set it to noeviction/),
  );
});

test("fault 34: SCRIPT FLUSH over and over under load: no error reaches anyone, and no job is lost", async () => {
  const { cluster, raw, warnings } = await startPlace([], 6_000);
  const file = join(temporaryDirectory(), "runs");
  const calls = [0, 1].flatMap((node) => {
    const c = cluster.connect(node);
    return Array.from({ length: 150 }, (_, n) => c.call(note, file, n, 5));
  });
  const load = { isOver: false };
  const results = Promise.all(calls).finally(() => (load.isOver = true));
  let flushes = 0;
  for (; !load.isOver; flushes += 1) {
    await raw.script("FLUSH");
    await Promise.race([results, new Promise((resolve) => setTimeout(resolve, 3))]);
  }
  expect(await results).toHaveLength(300);
  expect(flushes).toBeGreaterThan(20);
  expect(warnings).toEqual([]);
  const states = await Promise.all(calls.map((job) => job.status()));
  expect(states.filter(({ state, deaths }) => state !== "succeeded" || deaths > 0)).toEqual([]);
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(300);
});
