/**
 * Calls go to their data: three nodes, a real Redis, real workers. Each test that a call does so fails when locality is
 * turned off.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import { RemoteData, type Client, type PlacementExplanation } from "kitchensink";
import { startCluster, type Cluster, type ClusterOptions } from "kitchensink/testing";
import { useStore } from "../../support/stores.ts";
import * as functions from "./fixtures/functions.mjs";

const redis = useStore("redis");
const MB = 1_000_000;

async function threeNodes(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await startCluster({ ...redis(), nodes: 3, ...options });
  onTestFinished(() => cluster.close());
  return cluster;
}

async function bytesAt(client: Client, node: string, size: number): Promise<RemoteData> {
  return await new RemoteData({ raw: new Uint8Array(size).fill(7), client }).save({ node });
}

/** Submits calls one after the other, so that none is claimed before the one ahead of it, and tells where each ran. */
async function ranOn(client: Client, count: number, ...args: readonly RemoteData[]): Promise<string[]> {
  const jobs = [];
  for (let at = 0; at < count; at++) {
    const job = client.call(functions.readSlowly, args, 1_500);
    jobs.push(job);
    while ((await job.status()).state === "queued") await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await Promise.all(jobs);
}

describe.each([0, 2])("asked by way of node %i", (head) => {
  test("a call runs where its data lies", async () => {
    const cluster = await threeNodes();
    const client = cluster.connect(head);
    for (const node of ["node1", "node2", "node3"]) {
      const data = await bytesAt(client, node, MB);
      const job = client.call(functions.readSlowly, [data], 0);
      expect(await job).toBe(node);
      expect((await job.explain()).candidates[0]).toEqual({ node, missingBytes: 0, headStartMs: 0 });
    }
  });
});

describe("the two programs of remote data, asked by way of a node that has none of it", () => {
  test("two tables are added where they lie, and the result stays there", async () => {
    const cluster = await threeNodes();
    const { client } = cluster;
    const a = await new RemoteData({ obj: [1, 2, 3], client }).save({ node: "node2" });
    const b = await new RemoteData({ obj: [10, 20, 30], client }).save({ node: "node2" });
    const sum = await client.call(functions.add, a, b);
    expect((await sum.info()).replicas.map(({ node }) => node)).toEqual(["node2"]);
    expect(await sum.obj()).toEqual([11, 22, 33]);
    for (const data of [a, b]) expect((await data.info()).replicas).toHaveLength(1);
  });

  test("the head of a large dataset comes, and the dataset stays where it is", async () => {
    const cluster = await threeNodes({ dataThresholdBytes: MB });
    const { client } = cluster;
    const rows = Array.from({ length: 300_000 }, (_, id) => ({ id }));
    await new RemoteData({ obj: rows, client }).save({ url: "mylarge/dataset", node: "node3" });
    const dataset = new RemoteData<{ id: number }[]>({ dataUrl: "mylarge/dataset", client });
    const job = client.call(functions.head<{ id: number }>, dataset, 10);
    expect(await job).toEqual(rows.slice(0, 10));
    expect(await job.explain()).toMatchObject({ node: "node3", candidates: [{ node: "node3" }] });
    expect((await dataset.info()).replicas.map(({ node }) => node)).toEqual(["node3"]);
  });
});

test("of three calls on data on node 2, the first runs there, and the others on the rest while it is busy", async () => {
  const cluster = await threeNodes();
  const data = await bytesAt(cluster.client, "node2", MB);
  const [first, ...others] = await ranOn(cluster.client, 3, data);
  expect(first).toBe("node2");
  expect(others.toSorted()).toEqual(["node1", "node3"]);
});

test("three calls at the same time share the nodes in the same way", async () => {
  const cluster = await threeNodes();
  const data = await bytesAt(cluster.client, "node2", MB);
  const jobs = [1, 2, 3].map(() => cluster.client.call(functions.readSlowly, [data], 1_500));
  expect((await Promise.all(jobs)).toSorted()).toEqual(["node1", "node2", "node3"]);
  expect(await jobs[0]).toBe("node2");
});

test("with 1 MB on node 1 and 100 KB on node 2, three calls go to node 1, node 2, node 3", async () => {
  const cluster = await threeNodes();
  const large = await bytesAt(cluster.client, "node1", MB);
  const small = await bytesAt(cluster.client, "node2", MB / 10);
  expect(await ranOn(cluster.connect(2), 3, large, small)).toEqual(["node1", "node2", "node3"]);
});

test("without routing, it is not the data that decide", async () => {
  const cluster = await threeNodes();
  const data = await bytesAt(cluster.client, "node2", MB);
  const loose = cluster.client.with({ routeData: false });
  const job = loose.call(functions.readSlowly, [data], 0);
  await job;
  expect(await job.explain()).toMatchObject({ inputs: [], candidates: [] });
  // Whichever node claims first has it. All of ten on node 2 would be chance once in 59,049 times.
  const nodes = await Promise.all(
    Array.from({ length: 10 }, () => loose.call(functions.readSlowly, [data], 100)),
  );
  expect(new Set(nodes).size).toBeGreaterThan(1);
});

describe("over the threshold", () => {
  const dataThresholdBytes = MB / 2;

  test("only nodes that lack less are given the call, however long they are busy", async () => {
    const cluster = await threeNodes({ dataThresholdBytes });
    const data = await bytesAt(cluster.client, "node2", MB);
    const nodes = await Promise.all(
      [1, 2, 3].map(() => cluster.client.call(functions.readSlowly, [data], 300)),
    );
    expect(nodes).toEqual(["node2", "node2", "node2"]);
    const { replicas } = await data.info();
    expect(replicas.map(({ node }) => node)).toEqual(["node2"]);
  });

  test("a call that every node is too far from fails, and says the sizes and the ways out", async () => {
    const cluster = await threeNodes({ dataThresholdBytes });
    const a = await bytesAt(cluster.client, "node1", MB);
    const b = await bytesAt(cluster.client, "node2", 2 * MB);
    const job = cluster.client.call(functions.readSlowly, [a, b], 0);
    await expect(job).rejects.toMatchObject({
      code: "KS_DATA_TOO_FAR",
      message: expect.stringMatching(
        /threshold of 500 kB.*node2 lacks 1 MB, node1 lacks 2 MB, node3 lacks 3 MB.*--data-threshold.*pipeline\(\).*routeData: false/,
      ),
    });
    expect((await job.status()).state).toBe("failed");
    const { leftOut } = await job.explain();
    expect(leftOut.map(({ node, reason }) => [node, reason]).toSorted()).toEqual([
      ["node1", "over-threshold"],
      ["node2", "over-threshold"],
      ["node3", "over-threshold"],
    ]);
    expect(await cluster.client.with({ routeData: false }).call(functions.readSlowly, [a, b], 0)).toMatch(
      /^node/,
    );
  });
});

test("pointers are found in captured variables, maps, sets and objects", async () => {
  const cluster = await threeNodes();
  const { client } = cluster;
  const data = await bytesAt(client, "node3", MB);
  const shapes = [{ deep: [{ data }] }, new Map([["data", data]]), new Set([data])];
  for (const shape of shapes) {
    const job = client.call(functions.where, ...([shape] as unknown as []));
    expect(await job).toBe("node3");
  }
  expect(await client.call(functions.capturing(data))).toBe("node3");
});

describe("a call that is queued by plain HTTP", () => {
  const dataThresholdBytes = 500;
  const modules = ["./test/cluster/data/fixtures/functions.mjs"];

  async function queue(cluster: Cluster, name: string, args: unknown): Promise<Response> {
    return await fetch(new URL(`rpc/default/${name}`, cluster.urls[0]), {
      method: "POST",
      headers: {
        authorization: `Bearer ${cluster.token}`,
        "content-type": "application/json",
        prefer: "respond-async",
      },
      body: JSON.stringify(args),
    });
  }

  /** Where it ran, and why there. */
  async function ranBy(
    cluster: Cluster,
    name: string,
    args: unknown,
  ): Promise<readonly [unknown, PlacementExplanation]> {
    const { id } = (await (await queue(cluster, name, args)).json()) as { id: string };
    const job = cluster.client.job(id);
    return [await job, await job.explain()];
  }

  test("runs where the data lies that its JSON points to", async () => {
    const cluster = await threeNodes({ dataThresholdBytes, modules });
    const data = await bytesAt(cluster.client, "node2", 1_000);
    const { dataUrl } = await new RemoteData({ raw: Buffer.alloc(1_000, " "), client: cluster.client }).save({
      url: 'odd "name"/ü.json',
      node: "node3",
    });
    const first = await ranBy(cluster, "readSlowly", [[{ "kitchensink:data": data.dataUrl }], 0]);
    expect(first).toMatchObject(["node2", { candidates: [{ node: "node2", missingBytes: 0 }] }]);
    const byName = { ms: 0, all: [{ "kitchensink:codec": "json", "kitchensink:data": dataUrl }] };
    expect(await ranBy(cluster, "readSlowly", byName)).toMatchObject([
      "node3",
      { inputs: [{ url: dataUrl }], candidates: [{ node: "node3" }] },
    ]);
  });

  test("runs anywhere when its JSON only looks as if it pointed to data", async () => {
    const cluster = await threeNodes({ dataThresholdBytes, modules });
    const data = await bytesAt(cluster.client, "node2", 1_000);
    const marker = { "kitchensink:data": data.dataUrl };
    for (const arg of [JSON.stringify(marker), { ...marker, more: 1 }, { "kitchensink:data": 5 }]) {
      const ran = await ranBy(cluster, "where", [arg]);
      expect(ran).toMatchObject([expect.stringMatching(/^node/), { inputs: [], candidates: [] }]);
    }
  });

  test("is refused when it points to too much, or to what is no data url", async () => {
    const cluster = await startCluster({ modules });
    onTestFinished(() => cluster.close());
    const markers = Array.from({ length: 1_001 }, (_, at) => ({ "kitchensink:data": `many/${at}` }));
    const tooMany = await queue(cluster, "where", markers);
    expect({ status: tooMany.status, ...((await tooMany.json()) as object) }).toMatchObject({
      status: 413,
      code: "KS_TOO_LARGE",
      detail: expect.stringMatching(/more than 1000 different data.*save them together as one/),
    });
    const same = Array.from({ length: 2_000 }, () => markers[0]);
    expect((await queue(cluster, "where", same)).status).toBe(202);
    const malformed = await queue(cluster, "where", [{ "kitchensink:data": "../secrets" }]);
    expect({ status: malformed.status, ...((await malformed.json()) as object) }).toMatchObject({
      status: 400,
      code: "KS_BAD_REQUEST",
    });
  });
});

test("a read-only node never gets data, and runs calls only on what it has", async () => {
  const cluster = await threeNodes({ node: (index) => ({ readOnly: index === 0 }) });
  const { client } = cluster;
  const data = await new RemoteData({ raw: new Uint8Array(MB), client }).save();
  expect((await data.info()).replicas.map(({ node }) => node)).not.toContain("node1");
  await expect(
    new RemoteData({ raw: new Uint8Array(5), client }).save({ node: "node1" }),
  ).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
  });
  const nodes = await Promise.all(
    Array.from({ length: 6 }, () => client.call(functions.readSlowly, [data], 200)),
  );
  expect(nodes).not.toContain("node1");
  const { copies, failed } = await data.pipeline();
  expect({ nodes: copies.map(({ node }) => node).toSorted(), failed }).toEqual({
    nodes: ["node2", "node3"],
    failed: [],
  });
  expect((await data.pipeline({ nodes: ["node1"] })).failed).toEqual([
    { node: "node1", reason: "it is read-only" },
  ]);
  // Asked for by name, it reads without keeping.
  expect(await client.with({ node: "node1" }).call(functions.readSlowly, [data], 0)).toBe("node1");
  await expect(client.with({ node: "node1" }).call(functions.pathOf, data)).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
  });
  expect((await data.info()).replicas.map(({ node }) => node)).not.toContain("node1");
  // What its jobs save goes elsewhere.
  const saved = await client.with({ node: "node1" }).call(functions.saveAs, "x");
  expect((await saved.info()).replicas.map(({ node }) => node)).not.toContain("node1");
  const nodesThere = await client.nodes();
  expect(nodesThere.flatMap(({ name, isReadOnly }) => (isReadOnly ? [name] : []))).toEqual(["node1"]);
  expect(nodesThere.every(({ freeBytes }) => freeBytes > 0)).toBe(true);
});

test("a job on a read-only node has the same data sent once, however often it asks for the object", async () => {
  const cluster = await startCluster({
    ...redis(),
    nodes: 2,
    node: (index) => ({ readOnly: index === 0 }),
  });
  onTestFinished(() => cluster.close());
  const { client } = cluster;
  const data = await new RemoteData({ obj: Array.from({ length: 1_000 }, (_, at) => at), client }).save();
  const { size, replicas } = await data.info();
  expect(replicas.map(({ node }) => node)).toEqual(["node2"]);
  const headers = { authorization: `Bearer ${cluster.token}` };
  const sentBytes = async (): Promise<number> => {
    const metrics = await (await fetch(`${cluster.urls[1]}metrics`, { headers })).text();
    return Number(/^kitchensink_data_sent_bytes_total (\d+)$/m.exec(metrics)?.[1]);
  };
  const before = await sentBytes();
  expect(await client.with({ node: "node1" }).call(functions.isOneObject, data)).toBe(true);
  await expect.poll(async () => (await sentBytes()) - before).toBeGreaterThan(0);
  expect((await sentBytes()) - before).toBe(size);
});

test("queues and data work together: the best node of the queue gets the call", async () => {
  const cluster = await threeNodes({
    node: (index) => ({ queues: index === 0 ? ["default"] : ["default", "gpu"] }),
  });
  const { client } = cluster;
  const data = await bytesAt(client, "node3", MB);
  const here = await bytesAt(client, "node1", MB);
  const gpu = client.with({ queue: "gpu" });
  const job = gpu.call(functions.readSlowly, [data], 0);
  expect(await job).toBe("node3");
  expect((await job.explain()).candidates).toMatchObject([
    { node: "node3", missingBytes: 0 },
    { node: "node2", missingBytes: MB },
  ]);
  expect(await gpu.call(functions.readSlowly, [here], 0)).not.toBe("node1");
  expect(await client.with({ node: "node2" }).call(functions.readSlowly, [data], 0)).toBe("node2");
  expect(await client.with({ queue: "gpu|node2" }).call(functions.where)).toBe("node2");
});

test("a call that was offered to a node that died goes elsewhere", async () => {
  const cluster = await threeNodes({ dataThresholdBytes: MB / 2, leaseMs: 1_500 });
  const { client } = cluster;
  const data = await bytesAt(client, "node2", MB);
  await data.pipeline({ nodes: ["node3"] });
  // Both that have it are busy, so the call waits for one of them.
  const holding = ["node2", "node3"].map((node) => client.with({ node }).call(functions.hold));
  for (const job of holding)
    while ((await job.status()).state === "queued") await new Promise((resolve) => setTimeout(resolve, 10));
  const job = client.call(functions.readSlowly, [data], 0);
  expect((await job.status()).state).toBe("queued");
  await cluster.nodes[1]!.close(0);
  await holding[1]!.cancel();
  expect(await job).toBe("node3");
});

test("a call whose only node left is placed anew, and says that its data is away", async () => {
  const cluster = await threeNodes({ dataThresholdBytes: MB / 2, leaseMs: 1_500 });
  const { client } = cluster;
  const data = await bytesAt(client, "node2", MB);
  const holding = client.with({ node: "node2" }).call(functions.hold);
  while ((await holding.status()).state === "queued") await new Promise((resolve) => setTimeout(resolve, 10));
  const job = client.call(functions.where, ...([data] as unknown as []));
  expect((await job.explain()).candidates.map(({ node }) => node)).toEqual(["node2"]);
  await cluster.nodes[1]!.close(0);
  // It only tells where it runs, so it can end without the data.
  expect(await job).toMatch(/node[13]/);
});
