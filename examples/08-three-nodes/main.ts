/**
 * Shows where calls go on a cluster of three nodes: to the data, to one node by name, and to whoever is free; and how data
 * get to all of them.
 *
 *     sh examples/08-three-nodes/cluster.sh                  # in another terminal
 *     node --import kitchensink/register examples/08-three-nodes/main.ts
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Client, currentJob, RemoteData } from "kitchensink";

const c = new Client(process.env["KITCHENSINK_URL"] ?? "http://localhost:6323/");
const nodes = await c.nodes();
console.log(nodes.map(({ name }) => name).toSorted());

// A table of 8 MB on node2. Any node can be asked to keep it there.
const table = new RemoteData({ obj: new Float64Array(1_000_000).fill(0.5), client: c });
await table.save({ url: "tables/halves", node: "node2" });

async function total(data: RemoteData<Float64Array>): Promise<[string, number]> {
  const sum = (await data.obj()).reduce((all, value) => all + value, 0);
  await sleep(500);
  return [currentJob().node.name, sum];
}

// The call goes where the data lie, whichever node was asked.
const job = c.call(total, table);
console.log(await job);
console.log((await job.explain()).why);

// Three at once: node2 has one worker, so it takes the first, and the others go on without it.
const three = await Promise.all([c.call(total, table), c.call(total, table), c.call(total, table)]);
console.log(three.map(([node]) => node).toSorted());

// One node by name.
console.log(await c.with({ node: "node3" }).call(() => currentJob().node.name));

// By now each node has fetched the table, and keeps it. Others get theirs by a chain, before anybody asks.
await table.delete();
await new RemoteData({ raw: new Uint8Array(20_000_000), client: c }).save({
  url: "tables/zeros",
  node: "node1",
});
const zeros = new RemoteData({ dataUrl: "tables/zeros", client: c });
const report = await zeros.pipeline();
console.log(report.copies.map(({ node, status }) => `${node}: ${status}`).toSorted());
await zeros.delete();

await c.close();
