import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import type { Store } from "../../src/store/port.ts";
import { claim, DEFAULTS, HEAD, inboxOf, N1, newJob, register, state, submit } from "./support/harness.ts";
import { untilHeard, untilWokenForAll } from "./support/inbox.ts";
import {
  startRedisCluster,
  until,
  type TestClusterNode,
  type TestRedisCluster,
} from "./support/redis-cluster.ts";

let cluster: TestRedisCluster;
let store: Store;
let prefix: string;
afterEach(async () => {
  await store.close();
  await cluster.stop();
});

async function openOn(
  shape: Parameters<typeof startRedisCluster>[0],
  name: string = randomUUID(),
): Promise<void> {
  cluster = await startRedisCluster(shape);
  prefix = `{ks:${name}}:`;
  store = await openRedisStore({ cluster: name, address: parseRedisAddress(cluster.address), ...DEFAULTS });
}

interface Move {
  readonly from: TestClusterNode;
  readonly to: TestClusterNode;
  readonly slot: number;
}

async function beginMove(): Promise<Move> {
  const from = await cluster.ownerOf(prefix);
  const to = cluster.masters.find((node) => node !== from)!;
  const slot = await from.raw.cluster("KEYSLOT", prefix);
  await to.raw.call("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id);
  await from.raw.call("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id);
  return { from, to, slot };
}

async function moveKeys({ from, to, slot }: Move, count: number): Promise<void> {
  const keys = (await from.raw.call("CLUSTER", "GETKEYSINSLOT", slot, count)) as string[];
  if (keys.length > 0) await from.raw.call("MIGRATE", "127.0.0.1", to.port, "", 0, 5_000, "KEYS", ...keys);
}

async function endMove({ from, to, slot }: Move): Promise<void> {
  for (const { raw } of [to, from, ...cluster.masters])
    await raw.call("CLUSTER", "SETSLOT", slot, "NODE", to.id);
}

describe("a Redis Cluster that changes under the store", () => {
  test("while keys move to another node no script sees a half of them, and afterwards work goes on there", async () => {
    await openOn({ masters: 2 });
    const inbox = await inboxOf(store, HEAD);
    await register(store, N1);
    const jobs = Array.from({ length: 20 }, () => newJob());
    await submit(store, ...jobs);
    const move = await beginMove();
    await moveKeys(move, 25);
    await expect(submit(store, newJob())).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
    await expect(
      store.claim({ node: N1, queues: ["default"], count: 1, takesData: true }),
    ).rejects.toMatchObject({
      code: "KS_UNAVAILABLE",
    });
    const waiting = store.nodes();
    await moveKeys(move, 1_000);
    await endMove(move);
    expect(await waiting).toMatchObject([{ name: N1 }]);
    const claimed = await claim(store, N1, { count: 100 });
    expect(claimed.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
    expect(await move.from.raw.call("CLUSTER", "COUNTKEYSINSLOT", move.slot)).toBe(0);
    await until(async () => / sub=2 /.test(String(await move.to.raw.call("CLIENT", "LIST"))));
    await untilHeard(store, inbox);
  });

  test("when the master of the keys is killed, its replica has the jobs, and events go on", async () => {
    await openOn({ masters: 3, replicas: 3 });
    const inbox = await inboxOf(store, HEAD);
    await register(store, N1);
    const job = newJob();
    await submit(store, job);
    const master = await cluster.ownerOf(prefix);
    // WAIT is for what its own connection wrote, and so for all before that.
    await master.raw.set(`${prefix}written`, "1");
    expect(await master.raw.call("WAIT", 1, 5_000)).toBe(1);
    await master.stop();
    await untilWokenForAll(inbox);
    await until(async () => (await state(store, job.id).catch(() => undefined)) === "queued");
    expect((await claim(store, N1)).map(({ id }) => id)).toEqual([job.id]);
    await untilHeard(store, inbox);
  });

  test("killed connections heal by themselves, and a subscriber is told that it may have missed something", async () => {
    await openOn({ masters: 1 });
    const inbox = await inboxOf(store, HEAD);
    await register(store, N1);
    const { raw } = await cluster.ownerOf(prefix);
    await raw.call("CLIENT", "KILL", "TYPE", "pubsub");
    await untilWokenForAll(inbox);
    const jobs = Array.from({ length: 50 }, () => newJob());
    const calls = jobs.map((job) => submit(store, job));
    await raw.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await Promise.all(calls);
    await raw.script("FLUSH");
    expect((await claim(store, N1, { count: 100 })).length).toBe(50);
    await untilHeard(store, inbox);
  });

  test("calls reject in bounded time while all of it is away, and at once when the store is closed", async () => {
    await openOn({ masters: 2 });
    await register(store, N1);
    await cluster.stop();
    await expect(store.nodes()).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
    const waiting = store.nodes();
    await store.close();
    await expect(waiting).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  });
});
