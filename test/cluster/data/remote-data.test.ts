import { expect, test } from "vitest";
import { RemoteData } from "kitchensink";
import { startCluster } from "kitchensink/testing";
import { useStore } from "../../support/stores.ts";
import * as functions from "./fixtures/functions.mjs";

const redis = useStore("redis");

test("two tables are added where they lie, and the result stays there", async () => {
  await using cluster = await startCluster({ ...redis(), nodes: 3 });
  const { client } = cluster;
  const a = await new RemoteData({ obj: [1, 2, 3], client }).save();
  const b = await new RemoteData({ obj: [10, 20, 30], client }).save();
  const job = client.call(functions.add, a, b);
  const sum = await job;
  expect(sum).toBeInstanceOf(RemoteData);
  expect(await sum.obj()).toEqual([11, 22, 33]);
  const { replicas } = await sum.info();
  expect(replicas.map(({ node }) => node)).toEqual(["node1"]);
  expect(await job.explain()).toMatchObject({
    node: "node1",
    candidates: [{ node: "node1", missingBytes: 0 }, {}, {}],
  });
});
