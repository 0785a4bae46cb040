import { fileURLToPath } from "node:url";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClusterStatus, NodeStatus } from "../../src/core/activity.ts";
import { follow } from "../support/followed.ts";
import { STORES, useStore } from "../support/stores.ts";
import { dieOnce, tellJob, throwUntilAttempt, untilAborted } from "./fixtures/jobs.mjs";

const FUNCTIONS = fileURLToPath(new URL("./fixtures/functions.ts", import.meta.url));

interface Listed {
  readonly jobs: readonly { readonly id: string; readonly state: string; readonly label: string }[];
  readonly silent: readonly string[];
}

async function ask<Answer>(cluster: Cluster, path: string, index = 0): Promise<Answer> {
  const headers = { authorization: `Bearer ${cluster.token}` };
  const response = await fetch(`${cluster.urls[index]}${path}`, { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

describe.each(STORES)("what happens on a node, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({
      ...options(),
      modules: [FUNCTIONS],
      numWorkers: 2,
      graceMs: 100,
      leaseMs: 3_000,
    });
  });
  afterAll(() => cluster.close());

  const list = (query: string): Promise<Listed> => ask<Listed>(cluster, `v1/jobs?${query}`);
  const idsOf = async (query: string): Promise<string[]> => (await list(query)).jobs.map(({ id }) => id);
  const own = async (): Promise<NodeStatus> =>
    (await ask<ClusterStatus>(cluster, "v1/status")).nodes[0]!.status!;

  test("jobs are listed by their states, newest first", async () => {
    const client = cluster.client;
    const failed = client.with({ rpcName: "test" }).call("buy", "hats");
    await expect(failed).rejects.toThrow("no more hats");
    const succeeded = client.call(tellJob);
    await succeeded;
    const waiting = client.with({ queue: "nobody" }).call(tellJob);
    const cancelled = client.with({ queue: "nobody" }).call(tellJob);
    await expect.poll(() => cancelled.status().catch(() => undefined)).toMatchObject({ state: "queued" });
    await cancelled.cancel();
    await expect(cancelled).rejects.toMatchObject({ code: "KS_CANCELLED" });
    const running = client.call(untilAborted);
    await expect.poll(() => running.status().catch(() => undefined)).toMatchObject({ state: "running" });

    expect(await idsOf("state=failed")).toEqual([failed.id]);
    expect(await idsOf("state=succeeded")).toEqual([succeeded.id]);
    expect(await idsOf("state=queued")).toEqual([waiting.id]);
    expect(await idsOf("state=cancelled")).toEqual([cancelled.id]);
    expect(await idsOf("state=running")).toEqual([running.id]);
    const all = await idsOf("");
    expect(all.toSorted()).toEqual(
      [failed, succeeded, waiting, cancelled, running].map(({ id }) => id).toSorted(),
    );
    expect([all[0], all.at(-1)]).toEqual([running.id, failed.id]);
    expect(await idsOf("label=untilAb")).toEqual([running.id]);
    expect(await idsOf("limit=2")).toEqual(all.slice(0, 2));
    expect((await list("state=failed")).jobs[0]).toMatchObject({
      label: "test.buy",
      queue: "default",
      node: "node1",
      attempt: 1,
      createdAt: expect.stringMatching(/^\d{4}-/),
      finishedAt: expect.stringMatching(/^\d{4}-/),
    });
    await client.cancelAll();
    await expect(running).rejects.toMatchObject({ code: "KS_CANCELLED" });
    await expect(waiting).rejects.toMatchObject({ code: "KS_CANCELLED" });
  });

  test.each(["state=over", "limit=many", "limit=-1"])("a list of jobs with %s is refused", async (query) => {
    const headers = { authorization: `Bearer ${cluster.token}` };
    const response = await fetch(`${cluster.urls[0]}v1/jobs?${query}`, { headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "KS_BAD_REQUEST" });
  });

  test("the status tells what each worker runs, what waits, and what it takes", async () => {
    // Only the first worker is waited for at the start.
    await expect.poll(async () => (await own()).workers.every(({ pid }) => pid !== null)).toBe(true);
    const running = [1, 2].map(() => cluster.client.call(untilAborted));
    const behind = cluster.client.call(tellJob);
    const end = Promise.allSettled([...running, behind]);
    const runsNow = async (): Promise<(string | undefined)[]> =>
      (await own()).workers.map(({ run }) => run?.id);
    await expect.poll(runsNow).toEqual(expect.arrayContaining(running.map(({ id }) => id)));
    await expect
      .poll(() => ask<ClusterStatus>(cluster, "v1/status"))
      .toMatchObject({ queues: [{ queue: "default", jobs: 1 }], unplaced: 0, node: "node1" });
    const { workers, memory, data } = await own();
    expect(workers.map(({ lane, slot }) => `${lane} ${slot}`)).toEqual(["queue 1", "queue 2", "instant 1"]);
    for (const { pid, memoryBytes } of workers) {
      expect(pid).toBeGreaterThan(1);
      if (process.platform === "linux") expect(memoryBytes).toBeGreaterThan(10_000_000);
    }
    expect(workers[0]!.run).toMatchObject({ label: "untilAborted", queue: "default", attempt: 1 });
    expect(memory.nodeBytes).toBeGreaterThan(10_000_000);
    expect(data).toMatchObject({ replicas: 0, bytes: 0, isFull: false });
    await cluster.client.cancelAll();
    await end;
    await expect.poll(runsNow).toEqual([undefined, undefined, undefined]);
  });

  test("whoever follows hears of each run: its worker, its times, its end", async () => {
    const followed = await follow(cluster.urls[0]!, cluster.token);
    await expect.poll(() => followed.statuses.length).toBeGreaterThan(0);
    const before = (await own()).totals;
    const thrown = cluster.client.with({ retries: 1 }).call(throwUntilAttempt, 2);
    expect(await thrown).toBe(2);
    const died = cluster.client.call(dieOnce);
    await died;
    expect(await cluster.client.with({ async: false, rpcName: "test" }).call("add", 1, 2)).toBe(3);
    const ends = (id: string): string[] =>
      followed.runs.filter((run) => run.id === id).map(({ attempt, end }) => `${attempt} ${end}`);
    await expect.poll(() => ends(thrown.id)).toEqual(["1 queued", "2 succeeded"]);
    await expect.poll(() => ends(died.id)).toEqual(["1 queued", "2 succeeded"]);
    const isInstant = ({ lane, label }: { lane: string; label: string }): boolean =>
      lane === "instant" && label === "test.add";
    await expect.poll(() => followed.runs.find(isInstant)).toMatchObject({ slot: 1, queue: null });
    for (const { node, slot, claimedAtMs, begunAtMs, endedAtMs } of followed.runs) {
      expect(node).toBe("node1");
      expect(slot).toBeGreaterThan(0);
      expect([claimedAtMs, begunAtMs!, endedAtMs]).toEqual(
        [claimedAtMs, begunAtMs!, endedAtMs].toSorted((a, b) => a - b),
      );
      expect(Math.abs(endedAtMs - Date.now())).toBeLessThan(60_000);
    }
    const { queue, instant } = (await own()).totals;
    expect(queue.begun - before.queue.begun).toBe(4);
    expect(queue.requeued - before.queue.requeued).toBe(2);
    expect(queue.succeeded - before.queue.succeeded).toBe(2);
    expect(instant.succeeded - before.instant.succeeded).toBe(1);
    expect(queue.durations.reduce((sum, count) => sum + count, 0)).toBe(queue.begun);
  });

  test("of more runs than are remembered the last ones are told, and all are counted", async () => {
    const before = (await own()).totals.queue;
    await cluster.client.map(
      (n: number) => n,
      Array.from({ length: 6_000 }, (_, n) => n),
    );
    const followed = await follow(cluster.urls[0]!, cluster.token);
    await expect.poll(() => followed.runs.length).toBeGreaterThan(0);
    expect(followed.runs.length).toBeLessThanOrEqual(300);
    expect(followed.skipped).toBe(0);
    const after = (await own()).totals.queue;
    expect(after.succeeded - before.succeeded).toBe(6_000);
    expect((await list("state=succeeded&limit=500")).jobs).toHaveLength(500);
  });
});

describe("what happens in a cluster of two nodes", () => {
  const options = useStore("redis");
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), modules: [FUNCTIONS], nodes: 2, leaseMs: 2_000 });
  });
  afterAll(() => cluster.close());

  test("any node tells of the runs, workers and jobs of all", async () => {
    const followed = await follow(cluster.urls[0]!, cluster.token);
    const jobs = ["node1", "node2"].map((node) => cluster.client.with({ node }).call(tellJob));
    for (const job of jobs) await job;
    const runsOf = (): string[] => followed.runs.map(({ node, id }) => `${node} ${id}`).toSorted();
    await expect.poll(runsOf).toEqual([`node1 ${jobs[0]!.id}`, `node2 ${jobs[1]!.id}`]);
    expect(followed.statuses.at(-1)!.nodes.map(({ status }) => status?.name)).toEqual(["node1", "node2"]);
    for (const index of [0, 1]) {
      const listed = await ask<Listed>(cluster, "v1/jobs?state=succeeded", index);
      expect(listed.jobs.map(({ id }) => id).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    }
  });

  test("a node that leaves is told of no more, and its runs stay known where they were heard of", async () => {
    const followed = await follow(cluster.urls[0]!, cluster.token);
    const node = await cluster.addNode();
    const names = (): string[] => followed.statuses.at(-1)?.nodes.map(({ name }) => name) ?? [];
    await expect.poll(names).toEqual(["node1", "node2", "node3"]);
    await node.close(0);
    await expect.poll(names).toEqual(["node1", "node2"]);
    expect(followed.isOver).toBe(false);
  });

  test("a stream ends with its node", async () => {
    const followed = await follow(cluster.urls[1]!, cluster.token);
    await expect.poll(() => followed.statuses.length).toBeGreaterThan(0);
    await cluster.nodes[1]!.close(0);
    await expect.poll(() => followed.isOver).toBe(true);
  });
});
