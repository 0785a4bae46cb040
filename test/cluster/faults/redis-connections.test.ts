import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startCluster, type Cluster, type ClusterOptions } from "kitchensink/testing";
import type { Client } from "kitchensink";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { gone } from "../../support/cli.ts";
import { Collected } from "../../support/collect.ts";
import { Proxy } from "../../support/proxy.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { startRedis, type TestRedis } from "../../store/support/redis.ts";
import { mayTakeLong } from "../fixtures/jobs.mjs";
import { note, tellSilently, tellWhenThere } from "./fixtures/jobs.mjs";

let redis: TestRedis;
let raw: Redis;
beforeAll(async () => {
  redis = await startRedis();
  raw = new Redis(redis.port);
}, 180_000);
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});

/** Two nodes, the first of which reaches Redis by a proxy. */
async function twoNodes(options: ClusterOptions = {}): Promise<{ cluster: Cluster; proxy: Proxy }> {
  const proxy = await Proxy.to(redis.port);
  const first = { redisConnection: `tcp://127.0.0.1:${proxy.port}?db=9` };
  const cluster = await startCluster({
    redisConnection: redis.address,
    nodes: 2,
    leaseMs: 1_500,
    graceMs: 100,
    node: (index) => (index === 0 ? first : {}),
    ...options,
  });
  onTestFinished(() => cluster.close());
  return { cluster, proxy };
}

/** A job that runs on the first node until the file is there. */
async function runOnFirst(c: Client): Promise<{ id: string; file: string; workerPid: number }> {
  const said = new Collected();
  const file = join(temporaryDirectory(), "file");
  const job = c.with({ output: said.sinks }).call(tellWhenThere, file);
  job.then(undefined, () => {});
  await expect.poll(() => said.text("stdout")).toMatch(/pid \d+\n/);
  return { id: job.id, file, workerPid: Number(/\d+/.exec(said.text("stdout"))?.[0]) };
}

test("fault 3: a commit is applied and its reply lost: said again, it is a success that changes nothing", async () => {
  const { cluster, proxy } = await twoNodes({ leaseMs: 60_000 });
  const [c, other] = [cluster.connect(0), cluster.connect(1)];
  const file = join(temporaryDirectory(), "file");
  // What it prints would have to be answered first.
  const job = c.with({ node: "node1" }).call(tellSilently, file);
  await expect
    .poll(() =>
      other
        .job(job.id)
        .status()
        .catch(() => undefined),
    )
    .toMatchObject({ state: "running" });
  proxy.swallowReplies();
  writeFileSync(file, "");
  await expect.poll(() => other.job(job.id).status()).toMatchObject({ state: "succeeded" });
  const before = await other.job(job.id).status();
  proxy.cut();
  proxy.release();
  expect(await job).toEqual({ attempt: 1, node: "node1" });
  expect(await other.job(job.id).status()).toEqual(before);
});

test("fault 10: connections are killed over and over while jobs wait, run and end: none is stranded, each result comes", async () => {
  const { cluster, proxy } = await twoNodes({ leaseMs: 6_000 });
  const file = join(temporaryDirectory(), "runs");
  const calls = [cluster.connect(0), cluster.connect(1)].flatMap((c, node) =>
    Array.from({ length: 100 }, (_, n) => c.call(note, file, `${node} ${n}`, 10)),
  );
  const load = { isOver: false };
  const results = Promise.all(calls).finally(() => (load.isOver = true));
  for (let round = 0; !load.isOver; round += 1) {
    const kind = (["normal", "pubsub"] as const)[round % 2] ?? "normal";
    await raw.call("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes");
    if (round % 3 === 0) proxy.cut();
    await Promise.race([results, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  expect(await results).toHaveLength(200);
  const states = await Promise.all(calls.map((job) => job.status()));
  expect(states.filter(({ state, deaths }) => state !== "succeeded" || deaths > 0)).toEqual([]);
  await expect.poll(() => raw.select(9).then(() => raw.keys("*:running:*"))).toEqual([]);
});

test("fault 10: what a node is told goes nowhere for a while: its jobs come to their ends all the same", async () => {
  const { cluster, proxy } = await twoNodes({ leaseMs: 60_000 });
  const c = cluster.connect(0);
  const { id, file } = await runOnFirst(c.with({ node: "node1" }));
  const queued = c.with({ node: "node1" }).call(mayTakeLong, false);
  await expect.poll(() => queued.status().catch(() => undefined)).toMatchObject({ state: "queued" });
  proxy.swallow();
  writeFileSync(file, "");
  await expect.poll(() => proxy.held).toBeGreaterThan(0);
  // What was swallowed is lost.
  proxy.cut();
  proxy.release();
  expect(await c.result(id)).toEqual({ attempt: 1, node: "node1" });
  expect(await queued).toBe(false);
});

test("fault 13: a node is cut off from Redis: others run its jobs, and it is fenced when it returns", async () => {
  const { cluster, proxy } = await twoNodes({ numWorkers: 2 });
  const [first, second] = [cluster.connect(0), cluster.connect(1)];
  const never = join(temporaryDirectory(), "never");
  const holders = [1, 2].map(() => second.with({ node: "node2" }).call(tellWhenThere, never));
  for (const holder of holders)
    await expect.poll(() => holder.status().catch(() => undefined)).toMatchObject({ state: "running" });
  const [ending, going] = [await runOnFirst(first), await runOnFirst(first)];
  proxy.swallow();
  for (const holder of holders) await holder.cancel("make room");
  for (const { id } of [ending, going])
    expect(await second.result(id)).toEqual({ attempt: 2, node: "node2" });
  writeFileSync(ending.file, "");
  proxy.release();
  await gone([going.workerPid], 10_000);
  expect(await second.with({ node: "node1" }).call(mayTakeLong, false)).toBe(false);
  for (const { id } of [ending, going])
    expect(await second.job(id).status()).toMatchObject({ state: "succeeded", attempt: 2, node: "node2" });
  for (const holder of holders) await expect(holder).rejects.toMatchObject({ code: "KS_CANCELLED" });
});
