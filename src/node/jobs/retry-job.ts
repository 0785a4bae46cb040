import type { PlacementRecord } from "../../core/explain.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import { isFinal } from "../../core/job-states.ts";
import type { SubmittedJob } from "../../core/messages.ts";
import type { JobRecord, Store } from "../../store/port.ts";
import type { Submissions } from "./submissions.ts";

export interface RetryOptions {
  readonly store: Pick<Store, "spec">;
  readonly submissions: Pick<Submissions, "submit">;
  /** Who hears of the new job on an event stream. */
  readonly client: string;
  readonly newId: JobId;
}

/**
 * Submits once more what a job was to run that failed or was cancelled: as a new job, in the same queue, with the same
 * priority, placed anew.
 * @throws KitchenError `KS_USAGE` when it has not ended, or has succeeded; `KS_STATE_LOST` when its spec or code is not kept
 *   any more; what {@link Submissions.submit} throws
 */
export async function retryJob(
  record: JobRecord,
  { store, submissions, client, newId }: RetryOptions,
): Promise<void> {
  checkEnd(record);
  const { id, queue, priority, placement } = record;
  const spec = await store.spec(id);
  if (spec === undefined) throw cannot(record, "KS_STATE_LOST", "what it ran is not kept any more", AGAIN);
  const job = { id: newId, queue, priority, spec, inputs: inputsIn(placement) };
  const reply = await submissions.submit({ client, units: new Map(), jobs: [job] });
  if (reply.type === "missing")
    throw cannot(record, "KS_STATE_LOST", "the code that it needs is not kept any more", AGAIN);
}

const AGAIN = "call the function again, from a program that has it";

function checkEnd(record: JobRecord): void {
  const { state } = record;
  if (!isFinal(state))
    throw cannot(record, "KS_USAGE", `it is ${state}`, "wait for its end, or cancel it first");
  if (state === "succeeded")
    throw cannot(record, "KS_USAGE", "it succeeded, and then what it ran is not kept", AGAIN);
}

/**
 * The data that it points to, which were written down when it was placed; a spec does not name them. One that ended before
 * it was placed, as it waited for others, goes to what these came to alone.
 */
function inputsIn(placement: string | undefined): SubmittedJob["inputs"] {
  if (placement === undefined || placement === "") return [];
  return (JSON.parse(placement) as PlacementRecord).inputs.map(({ url }) => url);
}

function cannot(
  { id, label }: JobRecord,
  code: "KS_USAGE" | "KS_STATE_LOST",
  why: string,
  wayOut: string,
): KitchenError {
  return new KitchenError(code, `Cannot retry the job ${id} of ${label}: ${why} (${wayOut})`);
}
