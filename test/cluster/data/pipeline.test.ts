/** Broadcasts over nodes that are processes of their own. */
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { RemoteData } from "kitchensink";
import { parseDataUrl } from "../../../src/core/data-url.ts";
import { parseNodeName } from "../../../src/core/ids.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import { DEFAULTS } from "../../store/support/harness.ts";
import { useStore } from "../../support/stores.ts";
import { nodeProcesses, type NodeInProcess, type NodeProcesses } from "../../support/node-processes.ts";

const redis = useStore("redis");
let connection = "";
beforeAll(() => {
  connection = redis().redisConnection ?? "";
});

let clusters = 0;
async function cluster(count: number): Promise<{ nodes: NodeInProcess[]; processes: NodeProcesses }> {
  const processes = nodeProcesses(connection);
  const flags = ["--cluster", `pipeline-${++clusters}`];
  const names = Array.from({ length: count }, (_, at) => `node${at + 1}`);
  return { processes, nodes: await Promise.all(names.map((name) => processes.start(name, flags))) };
}

const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

test("a pipeline copies to every node, byte for byte, and tells who had it", async () => {
  const { nodes, processes } = await cluster(4);
  const client = processes.connect(nodes[1]!);
  const bytes = randomBytes(5_000_000);
  const data = await new RemoteData({ raw: bytes, client }).save({ url: "deep/raw.bin", node: "node3" });
  const progress: string[] = [];
  const { copies, failed, ...facts } = await data.pipeline({ onProgress: ({ node }) => progress.push(node) });
  expect(failed).toEqual([]);
  expect(copies.map(({ node, status }) => [node, status]).toSorted()).toEqual([
    ["node1", "copied"],
    ["node2", "copied"],
    ["node3", "present"],
    ["node4", "copied"],
  ]);
  expect(facts).toMatchObject({ url: "deep/raw.bin", size: bytes.length });
  for (const { name } of nodes)
    expect(sha256(join(processes.directory(name), "deep/raw.bin"))).toBe(facts.sha256);
  expect((await data.info()).replicas).toHaveLength(4);
  const again = await data.pipeline();
  expect(again.copies.map(({ status }) => status)).toEqual(["present", "present", "present", "present"]);
});

test("fewer copies, or certain nodes, can be asked for", async () => {
  const { nodes, processes } = await cluster(3);
  const client = processes.connect(nodes[0]!);
  const one = await new RemoteData({ obj: 1, client }).save();
  expect((await one.pipeline({ copies: 2 })).copies).toHaveLength(2);
  expect((await one.info()).replicas).toHaveLength(2);
  const two = await new RemoteData({ obj: 2, client }).save();
  const { copies, failed } = await two.pipeline({ nodes: ["node3", "node9"] });
  expect(copies.map(({ node }) => node)).toEqual(["node3"]);
  expect(failed).toEqual([{ node: "node9", reason: "no node of this name is there" }]);
});

test("a report says by how much fewer copies there are than were asked for, and why", async () => {
  const { nodes, processes } = await cluster(3);
  const client = processes.connect(nodes[0]!);
  const data = await new RemoteData({ obj: 1, client }).save();
  const named = await data.pipeline({ copies: 3, nodes: ["node2"] });
  expect(named.shortfall).toEqual({
    wanted: 3,
    reached: 2,
    reason: "no other node of those that were named takes data",
  });
  expect((await data.pipeline({ copies: 3 })).shortfall).toBeNull();
  const { copies, failed, shortfall } = await data.pipeline({ copies: 5 });
  expect(copies).toHaveLength(3);
  expect(failed).toEqual([]);
  expect(shortfall).toEqual({ wanted: 5, reached: 3, reason: "no other node takes data" });
  expect((await data.pipeline()).shortfall).toBeNull();
});

test("nodes that are listed, and whose files are gone or damaged, get copies again", async () => {
  const { nodes, processes } = await cluster(3);
  const client = processes.connect(nodes[0]!);
  const data = await new RemoteData({ raw: randomBytes(100_000), client }).save({ url: "x", node: "node3" });
  await data.pipeline();
  // The node that is asked is no exception.
  rmSync(join(processes.directory("node1"), "x"));
  const second = join(processes.directory("node2"), "x");
  chmodSync(second, 0o600);
  writeFileSync(second, randomBytes(100_000));
  const { copies, failed, sha256: hash } = await data.pipeline();
  expect(failed).toEqual([]);
  expect(copies.map(({ node, status }) => [node, status]).toSorted()).toEqual([
    ["node1", "copied"],
    ["node2", "copied"],
    ["node3", "present"],
  ]);
  for (const { name } of nodes) expect(sha256(join(processes.directory(name), "x"))).toBe(hash);
  expect((await data.info()).replicas).toHaveLength(3);
});

test("a node that is not listed, and takes its file to be there, looks before it says that it has it", async () => {
  const { nodes, processes } = await cluster(2);
  const client = processes.connect(nodes[0]!);
  const data = await new RemoteData({ raw: randomBytes(1_000), client }).save({ url: "x", node: "node1" });
  await data.pipeline();
  const address = parseRedisAddress(connection);
  const store = await openRedisStore({ cluster: `pipeline-${clusters}`, address, ...DEFAULTS });
  onTestFinished(() => store.close());
  await store.removeReplicas(parseNodeName("node2"), [parseDataUrl("x")]);
  const file = join(processes.directory("node2"), "x");
  rmSync(file);
  const { copies, sha256: hash } = await data.pipeline({ nodes: ["node2"] });
  expect(copies.map(({ node, from }) => [node, from])).toEqual([["node2", "node1"]]);
  expect(sha256(file)).toBe(hash);
});

test("a node that has lost its file and is not asked for leaves the catalog, and counts as no copy", async () => {
  const { nodes, processes } = await cluster(3);
  const client = processes.connect(nodes[0]!);
  const data = await new RemoteData({ raw: randomBytes(1_000), client }).save({ url: "x", node: "node1" });
  await data.pipeline({ nodes: ["node2"] });
  rmSync(join(processes.directory("node2"), "x"));
  const { copies, shortfall } = await data.pipeline({ nodes: ["node3"], copies: 2 });
  expect(copies.map(({ node, status }) => [node, status])).toEqual([["node3", "copied"]]);
  expect(shortfall).toBeNull();
  expect((await data.info()).replicas.map(({ node }) => node).toSorted()).toEqual(["node1", "node3"]);
});

test(
  "a listed node that gives no sign is named and counts as no copy; another one gets it",
  { timeout: 40_000 },
  async () => {
    const { nodes, processes } = await cluster(3);
    const client = processes.connect(nodes[0]!);
    const data = await new RemoteData({ raw: randomBytes(1_000), client }).save({ url: "x", node: "node1" });
    await data.pipeline({ nodes: ["node2"] });
    const stalling = nodes[1]!;
    stalling.command.kill("SIGSTOP");
    const { copies, failed, shortfall } = await data.pipeline({ copies: 2 });
    expect(copies.map(({ node, status }) => [node, status])).toEqual([
      ["node1", "present"],
      ["node3", "copied"],
    ]);
    expect(failed).toEqual([
      { node: "node2", reason: expect.stringMatching(/^Cannot reach the node node2 at http.*said nothing/) },
    ]);
    expect(shortfall).toBeNull();
  },
);

test("a node that stalls is routed around", { timeout: 40_000 }, async () => {
  const { nodes, processes } = await cluster(4);
  const client = processes.connect(nodes[0]!);
  const data = await new RemoteData({ raw: randomBytes(3_000_000), client }).save({ url: "stalled.bin" });
  const stalling = nodes[2]!;
  stalling.command.kill("SIGSTOP");
  const { copies, failed } = await data.pipeline();
  expect(copies.map(({ node }) => node).toSorted()).toEqual(["node1", "node2", "node4"]);
  expect(failed.map(({ node }) => node)).toEqual([stalling.name]);
  expect(statSync(join(processes.directory("node4"), "stalled.bin")).size).toBe(3_000_000);
});
