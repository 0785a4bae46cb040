import { Redis } from "ioredis";
import { startCluster, type Cluster, type ClusterOptions } from "kitchensink/testing";
import { expect, onTestFinished, test } from "vitest";
import { RemoteData } from "kitchensink";
import { Collected } from "../../support/collect.ts";
import { startRedis, type TestRedis } from "../../store/support/redis.ts";
import { mayTakeLong, untilAborted } from "../fixtures/jobs.mjs";

interface Place {
  redis: TestRedis;
  readonly cluster: Cluster;
}

async function startPlace(options: ClusterOptions = {}): Promise<Place> {
  const redis = await startRedis();
  const cluster = await startCluster({
    redisConnection: redis.address,
    nodes: 2,
    leaseMs: 1_500,
    graceMs: 100,
    ...options,
  });
  const place = { redis, cluster };
  onTestFinished(async () => {
    await cluster.close();
    await place.redis.stop();
  });
  return place;
}

const LOST = { code: "KS_STATE_LOST" };

/** Everybody who waits on a place whose Redis is about to lose all; resolves when all of them wait. */
async function waiters({ cluster }: Place): Promise<{ readonly ends: Promise<unknown> }> {
  const [c, other] = [cluster.connect(0), cluster.connect(1)];
  const running = c.call(untilAborted);
  await expect.poll(() => running.status().catch(() => undefined)).toMatchObject({ state: "running" });
  const queued = c.with({ queue: "nobody" }).call(untilAborted);
  const stream = await c.call(async function* () {
    yield 1;
    await new Promise(() => {});
  });
  await stream.next();
  const heard = new Collected();
  const elsewhere = other.with({ output: heard.sinks }).result(running.id);
  const pieces = other.job(running.id).output()[Symbol.asyncIterator]();
  expect(await pieces.next()).toMatchObject({ value: { text: "started\n" } });
  await expect.poll(() => heard.text("stdout")).toBe("started\n");
  await expect.poll(() => queued.status().catch(() => undefined)).toMatchObject({ state: "queued" });
  return {
    ends: Promise.all([
      expect(running).rejects.toMatchObject(LOST),
      expect(queued).rejects.toMatchObject(LOST),
      expect(stream.next()).rejects.toMatchObject({
        code: expect.stringMatching(/KS_STATE_LOST|KS_WORKER_LOST/),
      }),
      expect(elsewhere).rejects.toMatchObject(LOST),
      expect(pieces.next()).resolves.toMatchObject({ done: true }),
    ]),
  };
}

/** The place works as a new one: calls with code that the store has forgotten, nodes, data. */
async function expectToWork({ cluster }: Place, url: string): Promise<void> {
  const c = cluster.client;
  expect(await c.call(mayTakeLong, false)).toBe(false);
  const names = async (): Promise<string[]> => (await c.nodes()).map(({ name }) => name).toSorted();
  await expect.poll(names).toEqual(["node1", "node2"]);
  const data = async (): Promise<unknown> => await new RemoteData({ dataUrl: url, client: c }).obj();
  await expect.poll(() => data().catch(String)).toEqual([1, 2, 3]);
}

test.each<[string, (place: Place) => Promise<void>]>([
  [
    "is flushed while connections live",
    async ({ redis }) => {
      const raw = new Redis(redis.port);
      await raw.flushall();
      raw.disconnect();
    },
  ],
  [
    "is started again without its file",
    async (place) => {
      const { port } = place.redis;
      await place.redis.stop();
      place.redis = await startRedis({ port });
    },
  ],
])(
  "fault 11: a Redis that %s is noticed: whoever waits is told, and nodes and data are back",
  async (_, empty) => {
    const place = await startPlace({ numWorkers: 2 });
    const c = place.cluster.client;
    await new RemoteData({ obj: [1, 2, 3], client: c }).save({ url: "kept" });
    expect(await c.call(mayTakeLong, false)).toBe(false);
    const { ends } = await waiters(place);
    await empty(place);
    await ends;
    await expectToWork(place, "kept");
  },
);
