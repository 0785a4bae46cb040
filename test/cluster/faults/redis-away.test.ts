import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster, type Cluster, type ClusterOptions } from "kitchensink/testing";
import { expect, onTestFinished, test } from "vitest";
import { Collected } from "../../support/collect.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { startRedis, type TestRedis } from "../../store/support/redis.ts";
import { mayTakeLong } from "../fixtures/jobs.mjs";
import { note, printUntilThere } from "./fixtures/jobs.mjs";

const AWAY_MS = 60_000;

interface Place {
  redis: TestRedis;
  readonly cluster: Cluster;
  /** Kills Redis and starts it again from its file, `awayMs` later. */
  readonly restart: (awayMs: number, meanwhile: () => Promise<void>) => Promise<void>;
}

async function startPlace(options: ClusterOptions = {}): Promise<Place> {
  const directory = temporaryDirectory();
  const args = ["--appendfsync", "always"];
  const redis = await startRedis({ directory, args });
  const cluster = await startCluster({ redisConnection: redis.address, nodes: 2, numWorkers: 2, ...options });
  const place: Place = {
    redis,
    cluster,
    restart: async (awayMs, meanwhile) => {
      const { port } = place.redis;
      const back = new Promise((resolve) => setTimeout(resolve, awayMs));
      await place.redis.stop();
      await meanwhile();
      await back;
      place.redis = await startRedis({ port, directory, args });
    },
  };
  onTestFinished(async () => {
    await cluster.close();
    await place.redis.stop();
  });
  return place;
}

/** What a node answers to a request about jobs, for plain HTTP. */
async function ask(cluster: Cluster, path: string, body?: string): Promise<Response> {
  const headers = {
    authorization: `Bearer ${cluster.token}`,
    "content-type": "application/json",
    prefer: "respond-async",
  };
  const method = body === undefined ? "GET" : "POST";
  return await fetch(new URL(path, cluster.urls[0]), {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

async function expectUnavailable(response: Promise<Response>): Promise<void> {
  const { status, headers } = await response;
  expect({ status, retryAfter: headers.get("retry-after") }).toEqual({ status: 503, retryAfter: "1" });
}

test(
  "fault 9: Redis is away for a minute: jobs go on and end once, calls get 503, and claiming resumes by itself",
  async () => {
    const { cluster, restart } = await startPlace();
    const [c, other] = [cluster.connect(0), cluster.connect(1)];
    const [runs, soon, later] = ["runs", "soon", "later"].map((name) => join(temporaryDirectory(), name));
    const said = new Collected();
    const printing = c.with({ output: said.sinks, node: "node1" });
    const ending = printing.call(printUntilThere, soon!, "ends while it is away", 500);
    const going = c.with({ node: "node1" }).call(printUntilThere, later!, "ends when it is back", 500);
    const waiting = [1, 2, 3].map((n) => c.with({ node: "node1" }).call(note, runs!, n));
    const elsewhere = other.with({ node: "node2" }).call(printUntilThere, later!, "elsewhere", 500);
    for (const job of [ending, going, elsewhere])
      await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });

    await restart(AWAY_MS, async () => {
      writeFileSync(soon!, "");
      // The first one waits for the connection, and those behind it are refused at once.
      for (let n = 0; n < 20; n += 1) {
        await expectUnavailable(ask(cluster, "/rpc/test/add", "[1,2]"));
        await expectUnavailable(ask(cluster, `/v1/jobs/${ending.id}`));
      }
      await expect.poll(async () => (await ask(cluster, "/ready")).status, { timeout: 10_000 }).toBe(503);
      await expect(c.call(mayTakeLong, false)).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
    });
    expect(await ending).toBe("printed");
    writeFileSync(later!, "");
    expect(await Promise.all([going, elsewhere, ...waiting])).toEqual(["printed", "printed", 1, 2, 3]);
    for (const job of [ending, going, elsewhere, ...waiting])
      expect(await job.status()).toMatchObject({ state: "succeeded", attempt: 1, deaths: 0 });
    const log = new Collected();
    await other.with({ output: log.sinks }).result(ending.id);
    expect(log.text("stdout")).toBe(said.text("stdout"));
    expect(log.text("stdout")).toContain("0 ends while it is away");
    expect(await other.call(mayTakeLong, false)).toBe(false);
  },
  2 * AWAY_MS,
);

test("fault 9: a Redis that is silent, and not gone: calls get 503 as well, and what runs meanwhile ends once", async () => {
  const { cluster, redis } = await startPlace({ nodes: 1 });
  const [ready, later] = ["ready", "later"].map((name) => join(temporaryDirectory(), name));
  const c = cluster.client.with({ output: "off" });
  const going = c.call(printUntilThere, later!, "goes on", 100);
  await expect.poll(() => going.status()).toMatchObject({ state: "running" });
  process.kill(redis.pid, "SIGSTOP");
  try {
    for (let n = 0; n < 5; n += 1) {
      await expectUnavailable(ask(cluster, "/rpc/test/add", "[1,2]"));
      await expectUnavailable(ask(cluster, `/v1/jobs/${going.id}`));
    }
    await expect.poll(async () => (await ask(cluster, "/ready")).status, { timeout: 20_000 }).toBe(503);
    writeFileSync(later!, "");
  } finally {
    process.kill(redis.pid, "SIGCONT");
  }
  expect(await going).toBe("printed");
  expect(await going.status()).toMatchObject({ state: "succeeded", attempt: 1, deaths: 0 });
  expect(await c.call(note, ready!, 7)).toBe(7);
}, 60_000);

test("fault 9: output that a node has no room for while Redis is away is named in the log", async () => {
  const { cluster, restart } = await startPlace({ nodes: 1 });
  const c = cluster.client;
  const [flood, quiet] = ["flood", "quiet"].map((name) => join(temporaryDirectory(), name));
  const said = [new Collected(), new Collected()] as const;
  const flooding = c.with({ output: said[0].sinks }).call(printUntilThere, flood!, "x".repeat(1_000_000), 1);
  const whispering = c.with({ output: said[1].sinks }).call(printUntilThere, quiet!, "y".repeat(5_000), 20);
  for (const job of [flooding, whispering])
    await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
  await restart(0, async () => {
    // More than the 64 MiB that a node holds.
    const sizes = (): number => said[0].chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const before = sizes();
    await expect.poll(sizes, { timeout: 30_000 }).toBeGreaterThan(before + 80_000_000);
    const size = said[1].text("stdout").length;
    await expect
      .poll(() => said[1].text("stdout").length, { timeout: 15_000 })
      .toBeGreaterThan(size + 500_000);
    writeFileSync(flood!, "");
    writeFileSync(quiet!, "");
  });
  expect(await Promise.all([flooding, whispering])).toEqual(["printed", "printed"]);
  const log = new Collected();
  await cluster.connect(0, { output: log.sinks }).result(whispering.id);
  expect(log.text("stderr")).toContain("output is missing here, as the store was away");
  expect(log.text("stdout").length).toBeLessThan(said[1].text("stdout").length);
}, 60_000);
