import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startCluster, type Cluster } from "kitchensink/testing";
import { KitchenError, type Client, type Job } from "kitchensink";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../support/temporary.ts";
import { startSentinel } from "../../store/support/redis-sentinel.ts";
import { startRedis } from "../../store/support/redis.ts";
import { mayTakeLong } from "../fixtures/jobs.mjs";
import { note, tellWhenThere } from "./fixtures/jobs.mjs";

async function nodesOn(redisConnection: string, leaseMs: number): Promise<Cluster> {
  const cluster = await startCluster({ redisConnection, nodes: 2, leaseMs, graceMs: 100 });
  onTestFinished(() => cluster.close());
  return cluster;
}

const isRunning = async (job: Job<unknown>): Promise<void> =>
  await expect
    .poll(() => job.status().catch(() => undefined), { timeout: 10_000 })
    .toMatchObject({ state: "running" });

const codeOf = (error: unknown): string => (error instanceof KitchenError ? error.code : String(error));

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

/** Calls one after the other, several at a time, until it is told to stop; tells what became of each. */
function callUntilStopped(c: Client, file: string, name: string): { stop: () => Promise<readonly Ended[]> } {
  const load = { isStopped: false };
  const lane = async (n: number): Promise<Ended[]> => {
    const ended: Ended[] = [];
    for (let at = 0; !load.isStopped; at += 1) {
      const what = `${name} ${n} ${at}`;
      const job = c.call(note, file, what, 1);
      const end = await job.then((result) => (result === what ? "result" : `wrong: ${result}`), codeOf);
      ended.push({ what, id: job.id, end });
      if (end !== "result") await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return ended;
  };
  const lanes = Promise.all(Array.from({ length: 8 }, (_, n) => lane(n)));
  // A test that fails closes the client before they are told to stop.
  lanes.catch(() => {});
  return {
    stop: async () => {
      load.isStopped = true;
      return (await lanes).flat();
    },
  };
}

interface Ended {
  readonly what: string;
  readonly id: string;
  readonly end: string;
}

test("fault 12: Sentinel fails over under load: clients follow, and each call has one end: its result, or that it is lost", async () => {
  const sentinel = await startSentinel({ password: "hush", sentinelPassword: "quiet" });
  onTestFinished(() => sentinel.stop());
  const cluster = await nodesOn(sentinel.address, 6_000);
  const file = join(temporaryDirectory(), "runs");
  const [c, other] = [cluster.connect(0), cluster.connect(1)];
  const held = join(temporaryDirectory(), "held");
  const long = c.with({ node: "node1" }).call(tellWhenThere, held);
  await isRunning(long);
  await sentinel.replicated();
  const loads = [callUntilStopped(other, file, "a"), callUntilStopped(other, file, "b")];
  await expect.poll(() => linesOf(file).length, { timeout: 30_000 }).toBeGreaterThan(50);
  await sentinel.killMaster();
  await expect
    .poll(() => other.call(mayTakeLong, false).catch(() => undefined), { timeout: 20_000 })
    .toBe(false);
  const before = linesOf(file).length;
  await expect.poll(() => linesOf(file).length, { timeout: 30_000 }).toBeGreaterThan(before + 50);
  const ended = (await Promise.all(loads.map((load) => load.stop()))).flat();
  writeFileSync(held, "");

  expect(await long).toEqual({ attempt: 1, node: "node1" });
  const ends = new Set(ended.map(({ end }) => end));
  expect([...ends].filter((end) => !["result", "KS_STATE_LOST", "KS_UNAVAILABLE"].includes(end))).toEqual([]);
  // Whatever gave a result ran.
  const ran = new Set(linesOf(file));
  expect(ended.filter(({ what, end }) => end === "result" && !ran.has(what))).toEqual([]);
  // And nothing is left: what was refused or lost may have been taken all the same, and ends too.
  await expect
    .poll(async () => (await cluster.client.nodes()).map(({ running }) => running), { timeout: 15_000 })
    .toEqual([0, 0]);
  for (const { id } of ended) {
    const state = async (): Promise<unknown> =>
      await other
        .job(id)
        .status()
        .then((status) => status.state, codeOf);
    await expect.poll(state).toMatch(/succeeded|KS_NO_SUCH_JOB/);
  }
}, 90_000);

interface Rewound {
  readonly cluster: Cluster;
  /** Remembers what Redis has. */
  readonly remember: () => void;
  /** Kills Redis, and starts one that has what was remembered. */
  readonly rewind: () => Promise<void>;
}

/** As a replica takes over that has not heard of the last moments. */
async function startRewindable(): Promise<Rewound> {
  const [directory, copy] = [temporaryDirectory(), temporaryDirectory()];
  const args = ["--appendfsync", "always"];
  let redis = await startRedis({ directory, args });
  const cluster = await startCluster({ redisConnection: redis.address, graceMs: 100, numWorkers: 2 });
  onTestFinished(async () => {
    await cluster.close();
    await redis.stop();
  });
  return {
    cluster,
    remember: () => cpSync(directory, copy, { recursive: true }),
    rewind: async () => {
      const { port } = redis;
      await redis.stop();
      redis = await startRedis({ port, directory: copy, args });
    },
  };
}

test("fault 12: ends that the server which took over has not heard of are said again", async () => {
  const { cluster, remember, rewind } = await startRewindable();
  const c = cluster.client;
  const [file, runs] = [join(temporaryDirectory(), "file"), join(temporaryDirectory(), "runs")];
  const first = c.call(tellWhenThere, file);
  await isRunning(first);
  remember();
  writeFileSync(file, "");
  expect(await first).toEqual({ attempt: 1, node: "node1" });
  const second = c.call(note, runs, "after that");
  expect(await second).toBe("after that");
  await rewind();
  await expect
    .poll(() => first.status().catch(() => undefined), { timeout: 10_000 })
    .toMatchObject({ state: "succeeded", attempt: 1, deaths: 0 });
  // The call itself was lost with its end; who waited has had it.
  await expect(second.status()).rejects.toMatchObject({ code: "KS_NO_SUCH_JOB" });
  expect(await c.call(mayTakeLong, false)).toBe(false);
});

test("fault 12: a claim that the server which took over has not heard of is given up: the job runs again, once", async () => {
  const { cluster, remember, rewind } = await startRewindable();
  const c = cluster.client;
  const [file, runs] = [join(temporaryDirectory(), "file"), join(temporaryDirectory(), "runs")];
  const holders = [1, 2].map(() => c.call(tellWhenThere, file));
  for (const holder of holders) await isRunning(holder);
  const waiting = c.call(note, runs, "run", 3_000);
  await expect.poll(() => waiting.status().catch(() => undefined)).toMatchObject({ state: "queued" });
  remember();
  writeFileSync(file, "");
  await Promise.all(holders);
  await expect.poll(() => linesOf(runs)).toEqual(["run"]);
  await rewind();
  await expect.poll(() => linesOf(runs), { timeout: 10_000 }).toEqual(["run", "run"]);
  expect(await waiting).toBe("run");
  expect(await waiting.status()).toMatchObject({ state: "succeeded", attempt: 1, deaths: 0 });
  for (const holder of holders)
    expect(await holder.status()).toMatchObject({ state: "succeeded", attempt: 1 });
});

test("fault 12: a call that the server which took over has not heard of is KS_STATE_LOST to who waits, and unknown later", async () => {
  const { cluster, remember, rewind } = await startRewindable();
  const c = cluster.client;
  const [file, runs] = [join(temporaryDirectory(), "file"), join(temporaryDirectory(), "runs")];
  const holders = [1, 2].map(() => c.call(tellWhenThere, file));
  for (const holder of holders) await isRunning(holder);
  remember();
  const lost = c.call(note, runs, "lost");
  const told = lost.then(String, codeOf);
  await expect.poll(() => lost.status()).toMatchObject({ state: "queued" });
  await rewind();
  expect(await told).toBe("KS_STATE_LOST");
  await expect(lost.status()).rejects.toMatchObject({ code: "KS_NO_SUCH_JOB" });
  writeFileSync(file, "");
  for (const holder of holders) expect(await holder).toMatchObject({ attempt: 1 });
  expect(await c.call(note, runs, "behind it")).toBe("behind it");
  expect(linesOf(runs)).toEqual(["behind it"]);
}, 30_000);

test.each(["everysec", "always"])(
  "fault 8: Redis is killed with SIGKILL and started from its file (appendfsync %s): all that was acknowledged is there",
  async (appendfsync) => {
    const directory = temporaryDirectory();
    const args = ["--appendfsync", appendfsync];
    let redis = await startRedis({ directory, args });
    onTestFinished(() => redis.stop());
    const cluster = await nodesOn(redis.address, 6_000);
    const c = cluster.client;
    const runs = join(temporaryDirectory(), "runs");
    const ended = Array.from({ length: 100 }, (_, n) => c.call(note, runs, n));
    const waiting = Array.from({ length: 100 }, (_, n) => c.with({ queue: "later" }).call(note, runs, n));
    await Promise.all(ended);
    await Promise.all(waiting.map((job) => job.status()));
    const { port } = redis;
    await redis.stop();
    redis = await startRedis({ port, directory, args });
    await expect
      .poll(() => c.call(mayTakeLong, false).catch(() => undefined), { timeout: 15_000 })
      .toBe(false);
    for (const [n, job] of ended.entries()) expect(await cluster.connect(1).result(job.id)).toBe(n);
    for (const job of waiting) expect(await job.status()).toMatchObject({ state: "queued" });
    await cluster.addNode({ queues: ["later"] });
    expect(await Promise.all(waiting)).toEqual(waiting.map((_, n) => n));
    expect(linesOf(runs)).toHaveLength(200);
    const raw = new Redis(port, { db: 9 });
    await expect.poll(() => raw.keys("*:running:*")).toEqual([]);
    raw.disconnect();
  },
  60_000,
);
