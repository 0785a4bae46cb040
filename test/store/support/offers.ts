import type { JobId, NodeName } from "../../../src/core/ids.ts";
import type { Offers, Store } from "../../../src/store/port.ts";
import { claim, HEAD, N1, N2, N3, type Opened, type OpenStore, register, withStore } from "./harness.ts";

/** Offers to these nodes at once, and to nobody else. */
export const only = (...nodes: readonly NodeName[]): Offers => ({
  nodes: nodes.map((node) => ({ node, delayMs: 0 })),
  othersDelayMs: null,
});
/** Offers to everybody else after so long. */
export const thenOthers = (first: Offers, othersDelayMs: number): Offers => ({ ...first, othersDelayMs });
export const to = (node: NodeName, delayMs: number): Offers => ({
  nodes: [{ node, delayMs }],
  othersDelayMs: null,
});

export async function ids(
  store: Store,
  node: NodeName,
  options: Parameters<typeof claim>[2] = {},
): Promise<JobId[]> {
  return (await claim(store, node, options)).map(({ id }) => id);
}

export async function nextVisibleMs(
  store: Store,
  node: NodeName,
  takesData = true,
): Promise<number | undefined> {
  const reply = await store.claim({ node, queues: ["default"], count: 1, takesData });
  if (reply.type !== "claimed" || reply.jobs.length > 0) throw new Error("The claim was to find nothing");
  return reply.nextVisibleMs;
}

export async function unplaced(store: Store): Promise<JobId[]> {
  return (await store.sweep(HEAD, 3)).unplaced.map(({ id }) => id);
}

/** The body of a test with three nodes that hold leases. */
export const withNodes = (open: OpenStore, body: (opened: Opened) => Promise<void>): (() => Promise<void>) =>
  withStore(open, async (opened) => {
    for (const node of [N1, N2, N3]) await register(opened.store, node);
    await body(opened);
  });
