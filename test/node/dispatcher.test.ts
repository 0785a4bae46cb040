import { expect, test, vi } from "vitest";
import { startNode } from "../../src/node/node.ts";
import type { RunningNode } from "../../src/node/running-node.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import type { Offers, Store } from "../../src/store/port.ts";
import { DEFAULTS, N1, N2, newJob, state, submit } from "../store/support/harness.ts";
import { nodeOptions } from "./support/node-options.ts";

// The specs of these jobs cannot be read: each ends as failed as soon as it is claimed.

/** A node on an embedded store of its own, whose heartbeats, which claim too, are far apart. */
async function withNode(
  body: (store: Store, node: RunningNode) => Promise<void>,
  { isReadOnly = false, leaseMs = 600_000 } = {},
): Promise<void> {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  const node = await startNode({ ...nodeOptions(store), isReadOnly, leaseMs });
  try {
    await body(store, node);
  } finally {
    await node.close(0);
  }
}

const offered = (nodes: Offers["nodes"], othersDelayMs: number | null): Offers => ({ nodes, othersDelayMs });
test("a node takes jobs that it sees only later as soon as it does, one after the other", () =>
  withNode(async (store) => {
    const late = newJob({ offers: offered([{ node: N1, delayMs: 120 }], null) });
    const soon = newJob({ offers: offered([], 40) });
    await submit(store, late, soon);
    await expect.poll(() => state(store, late.id)).toBe("failed");
    for (const [job, delayMs] of [
      [soon, 40],
      [late, 120],
    ] as const) {
      const [record] = await store.read([job.id]);
      const waitedMs = record!.startedAtMs! - record!.createdAtMs;
      expect(waitedMs).toBeGreaterThanOrEqual(delayMs);
      expect(waitedMs).toBeLessThan(delayMs + 1000);
    }
  }));

test("what is offered to everybody who takes data is nothing for a read-only node", () =>
  withNode(
    async (store) => {
      const everybody = newJob({ offers: offered([], 0) });
      const own = newJob({ offers: offered([{ node: N1, delayMs: 0 }], 0) });
      await submit(store, everybody, own);
      await expect.poll(() => state(store, own.id)).toBe("failed");
      expect(await state(store, everybody.id)).toBe("queued");
    },
    { isReadOnly: true },
  ));

test("work for others wakes nobody else", () =>
  withNode(async (store) => {
    const claim = vi.spyOn(store, "claim");
    await submit(
      store,
      newJob({ queue: "other" }),
      newJob({ queue: `default|${N2}` }),
      newJob({ offers: offered([{ node: N2, delayMs: 0 }], null) }),
    );
    await new Promise(setImmediate);
    expect(claim).not.toHaveBeenCalled();
    const own = newJob({ queue: `default|${N1}` });
    await submit(store, own);
    await expect.poll(() => state(store, own.id)).toBe("failed");
  }));

test("a job that the store has running on a node that does not know of it goes back, without a death", () =>
  withNode(
    async (store) => {
      const job = newJob({ queue: "other" });
      await submit(store, job);
      // As if the reply to a claim of the node's own had been lost.
      await store.claim({ node: N1, queues: ["other"], count: 1, takesData: true });
      expect(await state(store, job.id)).toBe("running");
      await expect.poll(() => state(store, job.id), { timeout: 10_000 }).toBe("queued");
      expect((await store.read([job.id]))[0]).toMatchObject({ attempt: 1, deaths: 0 });
    },
    { leaseMs: 300 },
  ));
