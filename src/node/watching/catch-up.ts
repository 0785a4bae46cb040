import pLimit from "p-limit";
import type { JobId, NodeName } from "../../core/ids.ts";
import { isFinal } from "../../core/job-states.ts";
import { isStreaming, type JobRecord, type Store } from "../../store/port.ts";
import type { Hub } from "./hub.ts";
import { errorOutcome } from "../jobs/outcomes.ts";

/** Output logs take up to some MiB each. */
const LOGS_AT_ONCE = 20;
const STATE_LOST = errorOutcome(
  "KS_STATE_LOST",
  "The store no longer knows the job: it was restarted without its data, or emptied",
);

/**
 * The store's events broke off for a while: asks for the output and the ends of all jobs that somebody waits for here, and
 * tells them. Output that clients had before they have once more; they know what they have.
 * @throws KitchenError when the store does not answer
 */
export async function catchUp(store: Store, hub: Hub, node: NodeName): Promise<void> {
  // The store may not know these yet, and their ends may have been told while nobody listened.
  for (const later of hub.awaitedLater)
    void later.then((ids) => tellAll(ids, { store, hub, node })).catch(() => {});
  await tellAll(hub.awaited, { store, hub, node });
}

async function tellAll(ids: readonly JobId[], telling: Telling): Promise<void> {
  if (ids.length === 0) return;
  const records = await telling.store.watch(ids, telling.node);
  const limit = pLimit(LOGS_AT_ONCE);
  await Promise.all(ids.map((id, at) => limit(() => tell(id, records[at], telling))));
}

interface Telling {
  readonly store: Store;
  readonly hub: Hub;
  readonly node: NodeName;
}

async function tell(id: JobId, record: JobRecord | undefined, { store, hub }: Telling): Promise<void> {
  if (record === undefined) return hub.finished(id, "failed", STATE_LOST);
  const { state, attempt, outcome } = record;
  if (attempt > 0 && hub.wantsOutput(id))
    for (const piece of await store.readOutput(id, 0)) void hub.output(id, piece);
  if (isStreaming(record)) hub.streaming(id, attempt);
  if (isFinal(state) && outcome !== undefined) hub.finished(id, state, outcome);
}
