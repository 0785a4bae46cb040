import { expect, test } from "vitest";
import { startCluster } from "../../src/testing/start-cluster.ts";
import { useStore } from "../support/stores.ts";

const options = useStore("redis");

test("nodes that are added at once have names of their own, and are there in the order of their starts", async () => {
  await using cluster = await startCluster(options());
  const added = await Promise.all([cluster.addNode(), cluster.addNode({ queues: ["gpu"] })]);
  expect(cluster.nodes.map(({ name }) => name)).toEqual(["node1", "node2", "node3"]);
  expect(cluster.nodes.slice(1)).toEqual(added);
  expect(await cluster.client.nodes()).toHaveLength(3);
});

test("a node that could not be started leaves the others where they are", async () => {
  await using cluster = await startCluster(options());
  const wrong = cluster.addNode({ queues: ["no queue"] });
  await expect(wrong).rejects.toThrow(/Not a queue/);
  const { name } = await cluster.addNode();
  expect(cluster.nodes.map((node) => node.name)).toEqual(["node1", name]);
});

test("the embedded store is for one node, also when another is added", async () => {
  const refusal = {
    code: "KS_USAGE",
    message: expect.stringContaining("give startCluster() a redisConnection"),
  };
  await expect(startCluster({ nodes: 2 })).rejects.toMatchObject(refusal);
  await using cluster = await startCluster();
  await expect(cluster.addNode()).rejects.toMatchObject(refusal);
  expect(cluster.nodes).toHaveLength(1);
});

test("modules are named as --module names them", async () => {
  // From the working directory, without a ./ before it.
  await using cluster = await startCluster({ modules: ["test/cluster/fixtures/functions.ts"] });
  expect(await cluster.client.call("greet", "Ada")).toBe("Hello, Ada!");
  await expect(startCluster({ modules: ["missing.ts"] })).rejects.toMatchObject({
    code: "KS_USAGE",
    message: expect.stringMatching(
      /^Cannot load the module missing\.ts: there is no file \/.*\(give its path from/,
    ),
  });
});

test("a client of a node that is not there is refused, with those that are", async () => {
  await using cluster = await startCluster();
  expect(() => cluster.connect(1)).toThrow(/its only node is 0 \(addNode\(\) starts one more\)/);
});
