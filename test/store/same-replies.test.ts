import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JobId } from "../../src/core/ids.ts";
import { canMove, type JobState } from "../../src/core/job-states.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { JobRecord, Store } from "../../src/store/port.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { catalogStep, contentsOf, performCatalogStep } from "./support/catalog-steps.ts";
import { DEFAULTS, N1, N2, N3 } from "./support/harness.ts";
import {
  type Hands,
  IDS,
  type JobStep,
  jobStep,
  LATER_MS,
  performJobStep,
  registration,
} from "./support/job-steps.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

const OPTIONS = { ...DEFAULTS, resultTtlMs: 1000 * LATER_MS, queueLimit: 7 };
const numRuns = Number(process.env["FC_RUNS"] ?? 80);

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

const BEGINNING: readonly JobStep[] = [N1, N2].map((node) => ({ do: "register", node }));

interface Side {
  readonly store: Store;
  readonly hands: Hands;
}

test("both stores answer the same to any order of calls, and every job moves as the table allows", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(jobStep, { minLength: 30, maxLength: 80, size: "max" }), (steps) =>
      withBoth(async (sides) => {
        const states = new Map<JobId, JobState>();
        for (const step of [...BEGINNING, ...steps]) {
          const [embedded, remote] = await answers(sides, async ({ store, hands }) => [
            await performJobStep(store, step, hands),
            (await store.activeJobs()).toSorted(),
            await store.read(IDS),
            await runningOn(store),
          ]);
          expect(remote).toEqual(embedded);
          for (const record of await sides[0].store.read(IDS)) expectLegal(record, states);
        }
      }),
    ),
    { numRuns },
  );
}, 120_000);

test("both catalogs answer the same to any order of calls", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(catalogStep, { minLength: 5, maxLength: 40 }), (steps) =>
      withBoth(async (sides) => {
        for (const step of steps) {
          const [embedded, remote] = await answers(sides, async ({ store }) => [
            await performCatalogStep(store, step),
            await contentsOf(store),
          ]);
          expect(remote).toEqual(embedded);
        }
      }),
    ),
    { numRuns },
  );
}, 120_000);

async function answers(
  [embedded, remote]: readonly [Side, Side],
  ask: (side: Side) => Promise<unknown>,
): Promise<[unknown, unknown]> {
  return [comparable(await ask(embedded)), comparable(await ask(remote))];
}

async function runningOn(store: Store): Promise<unknown> {
  const lists = await Promise.all([N1, N2, N3].map((node) => store.runningJobs(node)));
  return lists.map((jobs) => jobs.toSorted((a, b) => a.id.localeCompare(b.id)));
}

function expectLegal(record: JobRecord | undefined, states: Map<JobId, JobState>): void {
  if (record === undefined) return;
  const before = states.get(record.id) ?? record.state;
  expect(before === record.state || canMove(before, record.state)).toBe(true);
  states.set(record.id, record.state);
}

/** Bytes as text, and no times: what both stores have to agree on. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !name.endsWith("AtMs"));
  return Object.fromEntries(kept.map(([name, inner]) => [name, comparable(inner)]));
}

async function withBoth(body: (sides: readonly [Side, Side]) => Promise<void>): Promise<void> {
  const cluster = randomUUID();
  const embedded = openEmbedded(cluster);
  const remote = await openRemote(cluster);
  try {
    await body([embedded, remote]);
  } finally {
    await Promise.all([embedded.store.close(), remote.store.close()]);
  }
}

function openEmbedded(cluster: string): Side {
  let nowMs = Date.now();
  const store = openMemoryStore({ cluster, ...OPTIONS, now: () => nowMs });
  const lapse: Hands["lapse"] = async (name) => {
    // A lease that is renewed for no time has run out.
    const holds = (await store.nodes()).some((record) => record.name === name);
    if (holds) await store.heartbeat(registration(name, 0));
  };
  const ripen = async (): Promise<void> => void (nowMs += 3 * LATER_MS);
  return { store, hands: { lapse, ripen } };
}

const EXPIRES = 4;
const PAST_MS = Buffer.alloc(8);
PAST_MS.writeDoubleBE(1);

/** Of a job that expires, as `lua/shared/records.lua` has it. */
async function makeExpired(key: string): Promise<void> {
  const record = await raw.getBuffer(key);
  const kind = record?.[0] ?? 0;
  if (record === null || kind > 15 || (kind & EXPIRES) === 0) return;
  const body = 5 + record.readUInt32BE(1);
  const expires = body + 4 + record.readUInt32BE(body) + 4 + 8 + 8;
  await raw.setrange(key, expires, PAST_MS);
}

async function openRemote(cluster: string): Promise<Side> {
  const store = await openRedisStore({ cluster, address: parseRedisAddress(redis.address), ...OPTIONS });
  const prefix = `{ks:${cluster}}:`;
  const lapse: Hands["lapse"] = async (name) => void (await raw.zadd(`${prefix}nodes`, "XX", 1, name));
  const ripen = async (): Promise<void> => {
    for (const kind of ["later:*", "delayed:*", "expiring"])
      for (const key of await raw.keys(`${prefix}${kind}`))
        for (const id of await raw.zrange(key, "0", "-1")) await raw.zadd(key, "1", id);
    for (const key of await raw.keys(`${prefix}job:*`)) await makeExpired(key);
  };
  return { store, hands: { lapse, ripen } };
}
