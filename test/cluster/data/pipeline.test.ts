/** Broadcasts over nodes that are processes of their own. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { RemoteData } from "kitchensink";
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
