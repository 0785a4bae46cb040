import * as fc from "fast-check";
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JobId, NodeName } from "../../src/core/ids.ts";
import { canMove, type JobState } from "../../src/core/job-states.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { FinishRow, Store, Swept } from "../../src/store/port.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { bytes, DEFAULTS, HEAD, N1, N2, newId, newJob, TERMS } from "./support/harness.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

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

const IDS: readonly JobId[] = Array.from({ length: 5 }, newId);
const NODES: readonly NodeName[] = [N1, N2];

type Step =
  | { readonly do: "submit"; readonly jobs: readonly { at: number; priority: number; spec: string }[] }
  | { readonly do: "claim"; readonly node: NodeName; readonly count: number }
  | {
      readonly do: "finish";
      readonly node: NodeName;
      readonly rows: readonly { at: number; attempt: number; next: JobState }[];
    }
  | { readonly do: "cancel"; readonly ids: readonly number[] }
  | { readonly do: "sweep" | "register" | "heartbeat" | "leave"; readonly node: NodeName }
  | { readonly do: "lapse"; readonly node: NodeName };

const at = fc.nat({ max: IDS.length - 1 });
const node = fc.constantFrom(...NODES);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("submit" as const),
      jobs: fc.array(
        fc.record({ at, priority: fc.constantFrom(0, 0, 5, -5), spec: fc.constantFrom("a", "a", "a", "b") }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("claim" as const), node, count: fc.nat({ max: 3 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("finish" as const),
      node,
      rows: fc.array(
        fc.record({
          at,
          attempt: fc.nat({ max: 3 }),
          next: fc.constantFrom<JobState>("succeeded", "failed", "cancelled", "queued", "queued"),
        }),
        { maxLength: 3 },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("cancel" as const), ids: fc.array(at, { maxLength: 2 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("sweep" as const, "register" as const, "heartbeat" as const, "leave" as const),
      node,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lapse" as const), node }) },
);

/** Does one step. `lapse` ends a node's lease by hand, in each store's own way. */
async function perform(store: Store, step: Step, lapse: (node: NodeName) => Promise<void>): Promise<unknown> {
  switch (step.do) {
    case "submit": {
      const jobs = step.jobs.map(({ at: which, priority, spec }) =>
        newJob({ id: IDS[which]!, priority, spec: bytes(spec) }),
      );
      return store.submit({ watcher: HEAD, jobs, units: new Map(), needs: [] });
    }
    case "claim":
      return store.claim({
        node: step.node,
        queues: ["none", "default"],
        count: step.count,
        takesData: true,
      });
    case "finish":
      return store.finish(step.node, step.rows.map(toRow));
    case "cancel":
      return store.cancel(
        step.ids.map((which) => IDS[which]!),
        bytes("why"),
      );
    case "sweep":
      return sorted(await store.sweep(step.node, 2));
    case "register":
      return store.register({ name: step.node, incarnation: "a", terms: TERMS, leaseMs: 600_000, facts: "" });
    case "heartbeat":
      return store.heartbeat({
        name: step.node,
        incarnation: "a",
        terms: TERMS,
        leaseMs: 600_000,
        facts: "",
      });
    case "leave":
      return store.leave(step.node);
    case "lapse":
      return lapse(step.node);
  }
}

/** Exhausted jobs come in no certain order, unplaced ones in their queue's. */
function sorted({ exhausted, unplaced }: Swept): Swept {
  return { exhausted: exhausted.toSorted((a, b) => a.id.localeCompare(b.id)), unplaced };
}

function toRow({ at: which, attempt, next }: { at: number; attempt: number; next: JobState }): FinishRow {
  const id = IDS[which]!;
  if (next === "queued" || next === "running")
    return { id, attempt, next: "queued", deaths: 0, throws: attempt };
  return { id, attempt, next, outcome: bytes(next) };
}

/** Bytes as text, and no times: what both stores have to agree on. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !name.endsWith("AtMs"));
  return Object.fromEntries(kept.map(([name, inner]) => [name, comparable(inner)]));
}

test("both stores answer the same to any order of calls, and every job moves as the table allows", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 60 }), async (steps) => {
      const cluster = randomUUID();
      const embedded = openMemoryStore({ cluster, ...DEFAULTS });
      const address = parseRedisAddress(redis.address);
      const remote = await openRedisStore({ cluster, address, ...DEFAULTS });
      const lapseRemote = async (name: NodeName) =>
        void (await raw.zadd(`{ks:${cluster}}:nodes`, "XX", 1, name));
      // A lease that is renewed for no time has run out.
      const lapseEmbedded = async (name: NodeName) => {
        const holds = (await embedded.nodes()).some((record) => record.name === name);
        if (holds) await embedded.heartbeat({ name, incarnation: "a", terms: TERMS, leaseMs: 0, facts: "" });
      };
      const states = new Map<JobId, JobState>();
      try {
        for (const each of steps) {
          const expected = comparable(await perform(embedded, each, lapseEmbedded));
          expect(comparable(await perform(remote, each, lapseRemote))).toEqual(expected);
          const records = await embedded.read(IDS);
          expect(comparable(await remote.read(IDS))).toEqual(comparable(records));
          expect((await remote.activeJobs()).toSorted()).toEqual((await embedded.activeJobs()).toSorted());
          for (const record of records) {
            if (record === undefined) continue;
            const before = states.get(record.id) ?? record.state;
            expect(before === record.state || canMove(before, record.state)).toBe(true);
            states.set(record.id, record.state);
          }
        }
      } finally {
        await Promise.all([embedded.close(), remote.close()]);
      }
    }),
    { numRuns: Number(process.env["FC_RUNS"] ?? 60) },
  );
}, 120_000);
