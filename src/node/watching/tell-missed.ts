import { encodeClientEvent } from "../../codec/wire.ts";
import type { JobId } from "../../core/ids.ts";
import { isFinal } from "../../core/job-states.ts";
import { isStreaming, type JobRecord, type OutputPiece, type Store } from "../../store/port.ts";
import type { Hub } from "./hub.ts";

/** A job that a client waits for. */
export interface Watched {
  readonly id: JobId;
  /** How many pieces of output the client has had; `undefined`: it wants none of what was. */
  readonly from: number | undefined;
}

interface Telling {
  readonly hub: Hub;
  readonly store: Pick<Store, "readOutput">;
}

/** Sends a client, which waits for the job already, what has happened to it so far. */
export async function tellMissed(
  client: string,
  { id, from }: Watched,
  record: JobRecord | undefined,
  { hub, store }: Telling,
): Promise<void> {
  const send = (event: Parameters<typeof encodeClientEvent>[0]): void =>
    hub.post(client, encodeClientEvent(event));
  if (record === undefined) {
    hub.unwatch(client, [id]);
    return send({ type: "unknown", jobId: id });
  }
  const { state, attempt, outcome, progress } = record;
  if (from !== undefined) {
    // Of an attempt that was replaced the client may have had output that no log has, and counts it.
    for (const piece of await missedOutput(id, attempt > 1 ? 0 : from, store))
      send({ type: "output", jobId: id, ...piece });
    if (progress !== undefined) send({ type: "progress", jobId: id, attempt, progress });
  }
  if (isStreaming(record)) send({ type: "streaming", jobId: id, attempt });
  if (!isFinal(state) || outcome === undefined) return;
  hub.unwatch(client, [id]);
  send({ type: "finished", jobId: id, state, outcome });
}

async function missedOutput(
  id: JobId,
  from: number,
  store: Telling["store"],
): Promise<readonly OutputPiece[]> {
  const pieces = await store.readOutput(id, from);
  if (pieces.length > 0 || from === 0) return pieces;
  // Who has had more than was kept would wait for what is missing.
  return (await store.readOutput(id, -1)).filter(({ isCut }) => isCut);
}
