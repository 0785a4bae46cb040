import type { NodeName } from "../core/ids.ts";
import { isFinal } from "../core/job-states.ts";
import { isStreaming, type Store } from "../store/port.ts";
import type { Hub } from "./hub.ts";
import { errorOutcome } from "./outcomes.ts";

const STATE_LOST = errorOutcome(
  "KS_STATE_LOST",
  "The store no longer knows the job: it was restarted without its data, or emptied",
);

/**
 * The store's events broke off for a while: asks for the ends of all jobs that somebody waits for here, and tells them.
 * @throws KitchenError when the store does not answer
 */
export async function catchUp(store: Store, hub: Hub, node: NodeName): Promise<void> {
  const ids = hub.awaited;
  if (ids.length === 0) return;
  const records = await store.watch(ids, node);
  for (const [at, id] of ids.entries()) {
    const record = records[at];
    if (record === undefined) hub.finished(id, "failed", STATE_LOST);
    else if (isStreaming(record)) hub.streaming(id, record.attempt);
    else if (isFinal(record.state) && record.outcome !== undefined)
      hub.finished(id, record.state, record.outcome);
  }
}
