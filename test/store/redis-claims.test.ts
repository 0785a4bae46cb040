import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { parseClaimReply } from "../../src/store/redis/replies.ts";
import { Scripts } from "../../src/store/redis/scripts.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import type { Store } from "../../src/store/port.ts";
import {
  bytes,
  claim as claimAs,
  DEFAULTS,
  N1,
  N2,
  newJob,
  register,
  state,
  submit,
} from "./support/harness.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

let redis: TestRedis;
let raw: Redis;
let scripts: Scripts;
beforeAll(async () => {
  redis = await startRedis();
  const { host, port, db } = parseRedisAddress(redis.address);
  raw = new Redis({ host: host!, port: port!, db });
  scripts = new Scripts(raw);
}, 180_000);
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
});

type Claim = (token: string, abandoned?: string) => Promise<string[]>;

/** `claim` takes one job of the queue `default` by a token of the test's own. */
async function withClaims(body: (store: Store, claim: Claim) => Promise<void>): Promise<void> {
  const cluster = randomUUID();
  const store = await openRedisStore({ cluster, address: parseRedisAddress(redis.address), ...DEFAULTS });
  const prefix = `{ks:${cluster}}:`;
  const claim: Claim = async (token, abandoned = "") => {
    const args = [`${prefix}9:`, N1, 1, "default", token, abandoned, DEFAULTS.resultTtlMs, "", 1];
    const reply = parseClaimReply(await scripts.run("claim", prefix, args));
    return reply.type === "claimed" ? reply.jobs.map(({ id, attempt }) => `${id} ${attempt}`) : ["lapsed"];
  };
  try {
    await register(store, N1);
    await body(store, claim);
  } finally {
    await store.close();
  }
}

test("a claim that is sent again because its reply was lost gets the same jobs", () =>
  withClaims(async (store, claim) => {
    const [a, b] = [newJob(), newJob()];
    await submit(store, a, b);
    expect(await claim("one")).toEqual([`${a.id} 1`]);
    expect(await claim("one")).toEqual([`${a.id} 1`]);
    expect(await claim("two")).toEqual([`${b.id} 1`]);
    await store.finish(N1, [{ id: a.id, attempt: 1, next: "succeeded", outcome: bytes("") }]);
    expect(await claim("one")).toEqual([]);
  }));

test("what a claim took whose reply nobody reads any more goes back, to be claimed under a new attempt", () =>
  withClaims(async (store, claim) => {
    const job = newJob();
    await submit(store, job);
    expect(await claim("one")).toEqual([`${job.id} 1`]);
    expect(await claim("two", "one")).toEqual([`${job.id} 2`]);
    expect(await claim("three", "none\none")).toEqual([]);
    expect(await state(store, job.id)).toBe("running");
  }));

test("a job to be cancelled that goes back so is cancelled", () =>
  withClaims(async (store, claim) => {
    const job = newJob();
    await submit(store, job);
    await claim("one");
    expect(await store.cancel([job.id], bytes("why"))).toEqual(["cancelling"]);
    expect(await claim("two", "one")).toEqual([]);
    expect(await state(store, job.id)).toBe("cancelled");
  }));

test("an offered job that goes back so is offered to the same nodes again", () =>
  withClaims(async (store, claim) => {
    await register(store, N2);
    const job = newJob({ offers: { nodes: [{ node: N1, delayMs: 0 }], othersDelayMs: null } });
    const urgent = newJob({ priority: 1 });
    await submit(store, job);
    expect(await claim("one")).toEqual([`${job.id} 1`]);
    await submit(store, urgent);
    expect(await claim("two", "one")).toEqual([`${urgent.id} 1`]);
    expect(await claimAs(store, N2)).toEqual([]);
    expect(await claim("three")).toEqual([`${job.id} 2`]);
  }));
