import { parseOutcome } from "../../codec/wire.ts";
import type { DataUrl } from "../../core/data-url.ts";
import type { JobId } from "../../core/ids.ts";
import type { JobState } from "../../core/job-states.ts";
import type { BlockedJob, JobRecord, ReleaseRow } from "../../store/port.ts";
import { errorOutcome } from "./outcomes.ts";

/** What others that wait for a job need to know of it. */
export interface AwaitedJob {
  readonly state: JobState;
  /** Of one that failed or was cancelled. */
  readonly outcome: Uint8Array | undefined;
  /** Where its result lies, if that is too large for the store. */
  readonly storedAt: DataUrl | undefined;
}

/** Of jobs by id: what is known of them; `undefined` of those that are not known, or not any more. */
export type AwaitedJobs = ReadonlyMap<JobId, AwaitedJob | undefined>;

export function awaitedJob({ state, outcome }: JobRecord): AwaitedJob {
  if (state !== "succeeded" || outcome === undefined) return { state, outcome, storedAt: undefined };
  const parsed = parseOutcome(outcome);
  return { state, outcome: undefined, storedAt: parsed.type === "stored" ? parsed.url : undefined };
}

/**
 * What becomes of a blocked job: it waits on (`undefined`), may be begun, or ends as the first of those that it waits for
 * has ended without a result.
 */
export function releaseOf({ id, inputs, after }: BlockedJob, jobs: AwaitedJobs): ReleaseRow | undefined {
  const awaited = after.map((other) => jobs.get(other));
  const unknown = awaited.indexOf(undefined);
  if (unknown >= 0) return { id, next: "failed", outcome: notKnown(after[unknown]!) };
  const known = awaited as readonly AwaitedJob[];
  for (const { state, outcome } of known)
    if ((state === "failed" || state === "cancelled") && outcome !== undefined)
      return { id, next: state, outcome };
  if (!known.every(({ state }) => state === "succeeded")) return undefined;
  // Where a large result lies, the job had best run.
  const stored = known.flatMap(({ storedAt }) => storedAt ?? []);
  return { id, next: "queued", inputs: [...new Set([...inputs, ...stored])] };
}

function notKnown(id: JobId): Uint8Array {
  return errorOutcome(
    "KS_NO_SUCH_JOB",
    `The job waits for the job ${id}, which is not known, or whose result has expired (results are kept for --result-ttl)`,
  );
}
