import type { Store, UnplacedJob } from "../store/port.ts";

/** Offers jobs whose nodes are gone to everybody who takes data. */
export async function placeAnew(store: Store, jobs: readonly UnplacedJob[]): Promise<void> {
  await store.place(jobs.map(({ id }) => ({ id, offers: { nodes: [], othersDelayMs: 0 }, placement: "" })));
}
