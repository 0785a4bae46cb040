/** Jobs that call others and await them: their places are for those meanwhile, so that no number of workers is too small. */
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORES, useStore } from "../support/stores.ts";
import { descend, descendAtOnce, failInside, mapInside } from "./fixtures/calling.mjs";

describe.each(STORES)("on a node with one worker, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(options());
  });
  afterAll(() => cluster.close());

  test("a job may await a job, which may await a job; who waited ends with its run", async () => {
    const pids = await cluster.client.call(descend, 4);
    expect(new Set(pids).size).toBe(5);
    await expect.poll(() => pids.filter(isAlive)).toEqual([pids.at(-1)]);
  });

  test("an instant call may await an instant call", async () => {
    const pids = await cluster.client.with({ async: false }).call(descendAtOnce, 2);
    expect(new Set(pids).size).toBe(3);
    await expect.poll(() => pids.filter(isAlive)).toEqual([pids.at(-1)]);
  });

  test("two jobs that each have others do their parts both end", async () => {
    const jobs = [cluster.client.call(mapInside, 20), cluster.client.call(mapInside, 30)];
    expect(await Promise.all(jobs)).toEqual([2_470, 8_555]);
  });

  test("what the inner job throws is thrown where the outer one awaits, and comes to the caller", async () => {
    await expect(cluster.client.call(failInside)).rejects.toThrow(new RangeError("within"));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
