/** Calls for queues that no node runs: they wait, and the caller hears why. */
import { startCluster } from "kitchensink/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Collected } from "../support/collect.ts";
import { STORES, useStore } from "../support/stores.ts";
import { tellJob } from "./fixtures/jobs.mjs";

describe.each(STORES)("calls for a queue that no node runs, on the %s store", (store) => {
  const options = useStore(store);

  test("say so with the first of them, once, on stderr, with the way out", async () => {
    await using cluster = await startCluster(options());
    const output = new Collected();
    const c = cluster.connect(0, { output: output.sinks, queue: "gpu" });
    const first = c.call(tellJob);
    await expect
      .poll(() => output.text("stderr"))
      .toBe("kitchensink: Jobs wait: no node runs the queue gpu (kitchensink start --queue gpu)\n");
    const second = c.call(tellJob);
    await expect.poll(() => second.status().catch(() => undefined)).toMatchObject({ state: "queued" });
    expect(await second.explain()).toMatchObject({
      isServed: false,
      node: null,
      why: "it waits: no node runs the queue gpu (kitchensink start --queue gpu)",
    });
    const ends = [first, second].map((job) => expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" }));
    await c.cancelAll();
    await Promise.all(ends);
    expect(output.text("stderr").split("\n")).toHaveLength(2);
  });

  test("say of a node that is not there that it is not there", async () => {
    await using cluster = await startCluster(options());
    const output = new Collected();
    const job = cluster.connect(0, { output: output.sinks, node: "node9" }).call(tellJob);
    await expect
      .poll(() => output.text("stderr"))
      .toBe(
        "kitchensink: Jobs wait: there is no node of the name node9 that runs the queue default (kitchensink nodes lists those that are there)\n",
      );
    await job.cancel();
    await expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" });
  });
});

describe("calls for a queue of another node", () => {
  const options = useStore("redis");

  test("are run there, and nothing is said", async () => {
    const queuesOf = [["default"], ["gpu"]] as const;
    const cluster = await startCluster({
      ...options(),
      nodes: 2,
      node: (index) => ({ queues: queuesOf[index] ?? [] }),
    });
    onTestFinished(() => cluster.close());
    const output = new Collected();
    const c = cluster.connect(0, { output: output.sinks });
    expect(await c.with({ queue: "gpu" }).call(tellJob)).toMatchObject({ node: { name: "node2" } });
    expect(await c.with({ queue: "gpu", node: "node2" }).call(tellJob)).toMatchObject({
      node: { name: "node2" },
    });
    expect(await c.with({ node: "node1" }).call(tellJob)).toMatchObject({ node: { name: "node1" } });
    expect(output.text("stderr")).toBe("");
  });
});
