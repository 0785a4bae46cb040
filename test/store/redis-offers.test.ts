import { randomUUID } from "node:crypto";
import { setTimeout as passed } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NodeName } from "../../src/core/ids.ts";
import type { NewJob, Offers, Store } from "../../src/store/port.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { DEFAULTS, N1, N2, N3, newJob, register, submit } from "./support/harness.ts";
import { ids, nextVisibleMs } from "./support/offers.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

const NODES = [N1, N2, N3];
/** Long enough that a machine with other work to do is in time. */
const DELAY_MS = 500;
const FIRST_N2: Offers = { nodes: [{ node: N2, delayMs: 0 }], othersDelayMs: DELAY_MS };

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
}, 180_000);
afterAll(() => redis.stop());

type Cluster = ReadonlyMap<NodeName, Store>;

/** Three nodes, each with its own connection. */
async function withCluster(body: (stores: Cluster, store: Store) => Promise<void>): Promise<void> {
  const cluster = randomUUID();
  const address = parseRedisAddress(redis.address);
  const stores = new Map<NodeName, Store>();
  try {
    for (const node of NODES) {
      const store = await openRedisStore({ cluster, address, ...DEFAULTS });
      stores.set(node, store);
      await register(store, node);
    }
    await body(stores, stores.get(N1)!);
  } finally {
    await Promise.all([...stores.values()].map((store) => store.close()));
  }
}

/** 20 claims of all nodes at once, and who had the job. */
async function race(stores: Cluster, job: NewJob): Promise<NodeName[]> {
  const claims = Array.from({ length: 20 }, async (_, at) => {
    const node = NODES[at % NODES.length]!;
    const claimed = await ids(stores.get(node)!, node);
    return claimed.includes(job.id) ? [node] : [];
  });
  return (await Promise.all(claims)).flat();
}

test("a job that is offered to one node first is that node's when it asks in time, and exactly one ever has it", () =>
  withCluster(async (stores, store) => {
    for (let round = 0; round < 10; round += 1) {
      const job = newJob({ offers: FIRST_N2 });
      await submit(store, job);
      expect(await race(stores, job)).toEqual([N2]);
    }
  }));

test("another has it after the delay, and exactly one of all that ask at once", () =>
  withCluster(async (stores, store) => {
    for (let round = 0; round < 2; round += 1) {
      const job = newJob({ offers: FIRST_N2 });
      await submit(store, job);
      const leftMs = await nextVisibleMs(store, N1);
      expect(leftMs).toBeLessThanOrEqual(DELAY_MS);
      await passed(leftMs! + 1);
      expect(await race(stores, job)).toHaveLength(1);
      expect(await race(stores, job)).toEqual([]);
    }
    const job = newJob({ offers: FIRST_N2 });
    await submit(store, job);
    await passed((await nextVisibleMs(store, N3))! + 1);
    expect(await ids(store, N3)).toEqual([job.id]);
    expect(await race(stores, job)).toEqual([]);
  }));
