import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { JobId, NodeName } from "../../src/core/ids.ts";
import type { FinishRow, NewJob, Store } from "../../src/store/port.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { bytes, claim, DEFAULTS, HEAD, N1, N2, newJob, register, state, submit } from "./support/harness.ts";
import { only } from "./support/offers.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

const LONG = bytes("x".repeat(5000));

let redis: TestRedis;
let raw: Redis;
beforeAll(async () => {
  redis = await startRedis();
  const { host, port, db } = parseRedisAddress(redis.address);
  raw = new Redis({ host: host!, port: port!, db });
}, 180_000);
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});

interface Keys {
  /** Names of all keys without the cluster's prefix, in order. */
  readonly all: () => Promise<string[]>;
  /** Those that do not go by themselves. */
  readonly lasting: () => Promise<string[]>;
  readonly prefix: string;
}

async function withStore(body: (store: Store, keys: Keys) => Promise<void>): Promise<void> {
  const cluster = randomUUID();
  const store = await openRedisStore({ cluster, address: parseRedisAddress(redis.address), ...DEFAULTS });
  const prefix = `{ks:${cluster}}:`;
  const named = (names: string[]): string[] => names.map((name) => name.slice(prefix.length)).toSorted();
  const all = (): Promise<string[]> => raw.keys(`${prefix}*`);
  const lasting = async (): Promise<string[]> => {
    const kept = await Promise.all(
      (await all()).map(async (key) => ((await raw.pttl(key)) < 0 ? [key] : [])),
    );
    return named(kept.flat());
  };
  try {
    await register(store, N1);
    await register(store, N2);
    await body(store, { all: async () => named(await all()), lasting, prefix });
  } finally {
    await store.close();
  }
}

const ended = (id: JobId, attempt = 1, outcome = bytes("3")): FinishRow => ({
  id,
  attempt,
  next: "succeeded",
  outcome,
});
const givenBack = (id: JobId, attempt = 1): FinishRow => ({
  id,
  attempt,
  next: "queued",
  deaths: 0,
  throws: 1,
});

const delayed = (id: JobId): FinishRow => ({
  id,
  attempt: 1,
  next: "queued",
  deaths: 0,
  throws: 1,
  delayMs: 100_000,
});

async function expired(store: Store, id: JobId): Promise<JobId> {
  await vi.waitUntil(async () => (await store.expire([])).due.length > 0);
  await store.expire([{ id, outcome: bytes("late") }]);
  return id;
}

/** A job that runs on N1. */
async function started(store: Store, options: Partial<NewJob> = {}): Promise<JobId> {
  const job = newJob(options);
  await submit(store, job);
  const [claimed] = await claim(store, N1);
  expect(claimed?.id).toBe(job.id);
  return job.id;
}

/** Ends a node's lease: one that is renewed for no time has run out. */
const lapse = (keys: Keys, node: NodeName): Promise<unknown> =>
  raw.zadd(`${keys.prefix}nodes`, "XX", 1, node);

/** Each brings a job to its end in another way. */
const ENDS: Readonly<Record<string, (store: Store, keys: Keys) => Promise<JobId>>> = {
  "by its first attempt": async (store) => {
    const id = await started(store);
    await store.finish(N1, [ended(id)]);
    return id;
  },
  "with a long spec and a long outcome": async (store) => {
    const id = await started(store, { spec: LONG });
    await store.finish(N1, [ended(id, 1, LONG)]);
    return id;
  },
  "with output and a stream": async (store) => {
    const id = await started(store);
    const piece = { attempt: 1, index: 0, stream: "stdout", bytes: bytes("x"), atMs: 1 } as const;
    await store.appendOutput(N1, [{ id, piece }]);
    await store.markStreaming(N1, [{ id, attempt: 1 }]);
    await store.finish(N1, [ended(id)]);
    return id;
  },
  "by its second attempt": async (store) => {
    const id = await started(store, { spec: LONG });
    await store.finish(N1, [givenBack(id)]);
    await claim(store, N2);
    await store.finish(N2, [ended(id, 2)]);
    return id;
  },
  "cancelled in its queue": async (store) => {
    const job = newJob({ spec: LONG });
    await submit(store, job);
    await store.cancel([job.id], LONG);
    return job.id;
  },
  "cancelled while it runs": async (store) => {
    const id = await started(store);
    await store.cancel([id], bytes("why"));
    await store.finish(N1, [ended(id)]);
    return id;
  },
  "cancelled while it waits again": async (store) => {
    const id = await started(store);
    await store.finish(N1, [givenBack(id)]);
    await store.cancel([id], bytes("why"));
    return id;
  },
  "cancelled when its node is lost": async (store, keys) => {
    const id = await started(store);
    await store.cancel([id], bytes("why"));
    await lapse(keys, N1);
    await store.sweep(N2, 3);
    return id;
  },
  "cancelled before a sweep decides on it": async (store, keys) => {
    const id = await started(store);
    await lapse(keys, N1);
    await register(store, N1);
    await store.cancel([id], bytes("why"));
    return id;
  },
  "on another node when its own is lost": async (store, keys) => {
    const id = await started(store);
    await lapse(keys, N1);
    await store.sweep(N2, 3);
    await claim(store, N2);
    await store.finish(N2, [ended(id, 2)]);
    return id;
  },
  exhausted: async (store, keys) => {
    const id = await started(store, { spec: LONG });
    await lapse(keys, N1);
    const { exhausted } = await store.sweep(N2, 1);
    expect(exhausted).toMatchObject([{ id, attempt: 2, deaths: 1 }]);
    await store.finish(N2, [ended(id, 2)]);
    return id;
  },
  "on another node when its own leaves": async (store) => {
    const id = await started(store);
    await store.leave(N1);
    await claim(store, N2);
    await store.finish(N2, [ended(id, 2)]);
    return id;
  },
  "as an offered one": async (store) => {
    const id = await started(store, { offers: only(N1), placement: "p", inputs: [], spec: LONG });
    await store.finish(N1, [ended(id)]);
    return id;
  },
  "after a pause": async (store, keys) => {
    const id = await started(store, { queue: "default|n1", ttlMs: 100_000 });
    await store.finish(N1, [delayed(id)]);
    await raw.zadd(`${keys.prefix}delayed:default|n1`, "1", id);
    await claim(store, N1);
    await store.finish(N1, [ended(id, 2)]);
    return id;
  },
  "cancelled in a pause": async (store) => {
    const id = await started(store, { offers: only(N1), ttlMs: 100_000 });
    await store.finish(N1, [delayed(id)]);
    await store.cancel([id], bytes("why"));
    return id;
  },
  "in time": async (store) => {
    const id = await started(store, { ttlMs: 100_000, isAtMostOnce: true, spec: LONG });
    await store.finish(N1, [ended(id)]);
    return id;
  },
  "late, in its queue": async (store) => {
    const job = newJob({ ttlMs: 1, spec: LONG });
    await submit(store, job);
    return expired(store, job.id);
  },
  "late, passed over": async (store) => {
    const job = newJob({ ttlMs: 1, offers: only(N1) });
    await submit(store, job);
    await vi.waitUntil(async () => (await store.expire([])).due.length > 0);
    expect(await claim(store, N1)).toEqual([]);
    return expired(store, job.id);
  },
  "as lost, as it runs at most once": async (store, keys) => {
    const id = await started(store, { isAtMostOnce: true, ttlMs: 100_000 });
    await lapse(keys, N1);
    const { exhausted } = await store.sweep(N2, 3);
    expect(exhausted).toMatchObject([{ id, isAtMostOnce: true }]);
    await store.finish(N2, [ended(id, 2)]);
    return id;
  },
  refused: async (store) => {
    const job = newJob({ offers: only(N1), refusal: LONG, spec: LONG });
    await submit(store, job);
    return job.id;
  },
  "refused when it is placed anew": async (store) => {
    const job = newJob({ offers: only(HEAD), spec: LONG });
    await submit(store, job);
    await store.place([{ id: job.id, offers: only(), placement: "none", refusal: bytes("no") }]);
    return job.id;
  },
};

test.each(Object.keys(ENDS))("of a job that ends %s nothing is left but what expires", (name) =>
  withStore(async (store, keys) => {
    const id = await ENDS[name]!(store, keys);
    expect(["succeeded", "failed", "cancelled"]).toContain(await state(store, id));
    for (const node of [N1, N2]) await store.leave(node);
    expect(await store.activeJobs()).toEqual([]);
    expect(await keys.lasting()).toEqual(["seq"]);
    const own = ["job", "spec", "out", "outcome"].map((kind) => `${kind}:${id}`);
    expect(own).toEqual(expect.arrayContaining((await keys.all()).filter((key) => key !== "seq")));
  }),
);

test("a usual job has one key of its own, while it waits, runs and when it has ended", () =>
  withStore(async (store, keys) => {
    const own = async (): Promise<string[]> => (await keys.all()).filter((key) => key.includes(job.id));
    const job = newJob();
    await submit(store, job);
    expect(await own()).toEqual([`job:${job.id}`]);
    await claim(store, N1);
    expect(await own()).toEqual([`job:${job.id}`]);
    await store.finish(N1, [ended(job.id)]);
    expect(await own()).toEqual([`job:${job.id}`]);
  }));

test("what is long stands in keys of its own, so that scripts need not copy it", () =>
  withStore(async (store, keys) => {
    const id = await started(store, { spec: LONG });
    expect(await raw.strlen(`${keys.prefix}spec:${id}`)).toBe(LONG.length);
    expect(await raw.strlen(`${keys.prefix}job:${id}`)).toBeLessThan(200);
    await store.finish(N1, [ended(id, 1, LONG)]);
    expect(await raw.strlen(`${keys.prefix}outcome:${id}`)).toBe(LONG.length);
    expect(await raw.strlen(`${keys.prefix}job:${id}`)).toBeLessThan(200);
    const [record] = await store.read([id]);
    expect(Buffer.from(record!.outcome!)).toEqual(LONG);
  }));

test("a long spec of a job that succeeds goes with its end; of one that does not, with its record", () =>
  withStore(async (store, keys) => {
    const [good, bad] = [await started(store, { spec: LONG }), await started(store, { spec: LONG })];
    await store.finish(N1, [ended(good), { id: bad, attempt: 1, next: "failed", outcome: bytes("no") }]);
    expect(await raw.exists(`${keys.prefix}spec:${good}`)).toBe(0);
    const [own, record] = await Promise.all([
      raw.pexpiretime(`${keys.prefix}spec:${bad}`),
      raw.pexpiretime(`${keys.prefix}job:${bad}`),
    ]);
    expect(record).toBeGreaterThan(Date.now());
    expect(Math.abs(own - record)).toBeLessThan(50);
    expect(Buffer.from((await store.spec(bad))!)).toEqual(LONG);
    await raw.unlink(`${keys.prefix}spec:${bad}`);
    expect(await store.spec(bad)).toBeUndefined();
  }));

test("jobs that are submitted together stand in few entries of their queue", () =>
  withStore(async (store, keys) => {
    const jobs = Array.from({ length: 100 }, () => newJob());
    await submit(store, ...jobs);
    const key = `${keys.prefix}queue:default`;
    expect(await raw.zcard(key)).toBe(7);
    await claim(store, N1, { count: 20 });
    expect(await raw.zcard(key)).toBe(6);
    const rest = jobs.slice(20).map(({ id }) => id);
    await store.cancel(rest, bytes("all"));
    expect(await raw.exists(key)).toBe(0);
  }));

test("a queue whose jobs Redis has evicted is not full for ever", () =>
  withStore(async (store, keys) => {
    await submit(store, newJob());
    await raw.hset(`${keys.prefix}queues`, "default", DEFAULTS.queueLimit);
    await submit(store, newJob());
    expect(Number(await raw.hget(`${keys.prefix}queues`, "default"))).toBeLessThan(100);
    expect(await claim(store, N1)).toHaveLength(2);
  }));

test("of a job that Redis has evicted nobody is told, and the others go on", () =>
  withStore(async (store, keys) => {
    const jobs = [newJob(), newJob(), newJob()];
    await submit(store, ...jobs);
    await raw.unlink(`${keys.prefix}job:${jobs[1]!.id}`);
    const claimed = await claim(store, N1);
    expect(claimed.map(({ id }) => id)).toEqual([jobs[0]!.id, jobs[2]!.id]);
    await raw.unlink(`${keys.prefix}job:${jobs[0]!.id}`);
    expect(
      await store.finish(
        N1,
        claimed.map(({ id }) => ended(id)),
      ),
    ).toEqual(["fenced", "committed"]);
  }));
