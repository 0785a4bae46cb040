import { parseOutcome } from "../codec/wire.ts";
import type { DataUrl } from "../core/data-url.ts";
import type { JobId } from "../core/ids.ts";
import type { BlockedJob, JobRecord, ReleaseRow } from "../store/port.ts";
import { errorOutcome } from "./outcomes.ts";

/** Of jobs by id: what is known of them; `undefined` of those that are not known, or not any more. */
export type Records = ReadonlyMap<JobId, JobRecord | undefined>;

/**
 * What becomes of a blocked job: it waits on (`undefined`), may be begun, or ends as the first of those that it waits for
 * has ended without a result.
 */
export function releaseOf({ id, inputs, after }: BlockedJob, records: Records): ReleaseRow | undefined {
  const awaited = after.map((other) => records.get(other));
  const unknown = awaited.indexOf(undefined);
  if (unknown >= 0) return { id, next: "failed", outcome: notKnown(after[unknown]!) };
  const known = awaited as readonly JobRecord[];
  for (const { state, outcome } of known)
    if ((state === "failed" || state === "cancelled") && outcome !== undefined)
      return { id, next: state, outcome };
  if (!known.every(({ state }) => state === "succeeded")) return undefined;
  return { id, next: "queued", inputs: [...new Set([...inputs, ...known.flatMap(storedResult)])] };
}

/** Where a large result lies, the job had best run. */
function storedResult({ outcome }: JobRecord): DataUrl[] {
  const parsed = outcome === undefined ? undefined : parseOutcome(outcome);
  return parsed?.type === "stored" ? [parsed.url] : [];
}

function notKnown(id: JobId): Uint8Array {
  return errorOutcome(
    "KS_NO_SUCH_JOB",
    `The job waits for the job ${id}, which is not known, or whose result has expired (results are kept for --result-ttl)`,
  );
}
