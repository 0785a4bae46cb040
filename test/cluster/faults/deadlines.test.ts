import { startCluster } from "kitchensink/testing";
import { describe, expect, test } from "vitest";
import { block } from "../fixtures/jobs.mjs";
import { STORES, useStore } from "../../support/stores.ts";

const LEASE_MS = 1_000;

describe.each(STORES)("a function that blocks its thread, on the %s store", (store) => {
  const options = useStore(store);
  const nodes = store === "redis" ? 2 : 1;

  test("fault 6: a function blocks its thread for longer than the lease: the lease is kept, and the job runs once", async () => {
    await using cluster = await startCluster({ ...options(), nodes, leaseMs: LEASE_MS });
    const job = cluster.client.call(block, 4 * LEASE_MS);
    expect(await job).toBe(1);
    expect(await job.status()).toMatchObject({ state: "succeeded", attempt: 1, deaths: 0 });
    expect(await cluster.client.nodes()).toHaveLength(nodes);
  });

  test("fault 6: a function blocks its thread past its deadline: its worker is killed, and the caller gets KS_TIMEOUT", async () => {
    await using cluster = await startCluster({ ...options(), nodes, leaseMs: LEASE_MS, graceMs: 200 });
    const c = cluster.client.with({ node: "node1" });
    const pid = await c.call(() => process.pid);
    const job = c.with({ timeoutMs: 2 * LEASE_MS }).call(block, 600_000);
    await expect(job).rejects.toMatchObject({
      code: "KS_TIMEOUT",
      message: expect.stringContaining(`block ran longer than its deadline of ${2 * LEASE_MS} ms`),
    });
    expect(await job.status()).toMatchObject({ state: "failed", attempt: 1, deaths: 0 });
    expect(await c.call(() => process.pid)).not.toBe(pid);
  });
});
