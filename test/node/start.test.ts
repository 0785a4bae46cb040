import { expect, onTestFinished, test, vi } from "vitest";
import { startNode } from "../../src/node/node.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { Store } from "../../src/store/port.ts";
import { DEFAULTS } from "../store/support/harness.ts";
import { nodeOptions } from "./support/node-options.ts";

/** A store that outlives its nodes. */
function lastingStore(): Store {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  const closeStore = store.close.bind(store);
  vi.spyOn(store, "close").mockResolvedValue();
  onTestFinished(closeStore);
  return store;
}

test("a node that cannot enter its data as it joins does not keep its place", async () => {
  const store = lastingStore();
  vi.spyOn(store, "setReplicas").mockRejectedValueOnce(new Error("no"));
  await expect(startNode(nodeOptions(store))).rejects.toThrow("no");
  expect(await store.nodes()).toEqual([]);
});

test("a node with a queue whose name is none lets go of its store and its data directory", async () => {
  const store = lastingStore();
  const options = nodeOptions(store);
  await expect(startNode({ ...options, queues: ["no name"] })).rejects.toMatchObject({
    code: expect.stringMatching(/^KS_/),
  });
  expect(store.close).toHaveBeenCalledOnce();
  const node = await startNode(options);
  await node.close(0);
});
