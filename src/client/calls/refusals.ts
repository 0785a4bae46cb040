import { parseSpec } from "../../codec/wire.ts";
import { type ErrorCode, KitchenError } from "../../core/errors.ts";
import { isContentId } from "../../core/ids.ts";
import type { SubmittedJob } from "../../core/messages.ts";

/** What a node may have against one job of a request, and not against the others. */
const OF_ONE_JOB: readonly ErrorCode[] = [
  "KS_ARBITRARY_BANNED",
  "KS_BAD_REQUEST",
  "KS_BUSY",
  "KS_CONFLICT",
  "KS_TOO_LARGE",
];

/** Whether a request may have been refused for the sake of one of its jobs. */
export function isOfOneJob(error: unknown): error is KitchenError {
  return error instanceof KitchenError && OF_ONE_JOB.includes(error.code);
}

/** What jobs that were sent alone were refused for: nobody asks again for those of which it must be true as well. */
export class Refusals {
  readonly #codes = new Set<ErrorCode>();
  readonly #byGround = new Map<string, KitchenError>();

  add(job: SubmittedJob, error: KitchenError): void {
    this.#codes.add(error.code);
    this.#byGround.set(groundOf(job, error.code), error);
  }

  /** Why the node would refuse the job, if that is known. */
  of(job: SubmittedJob): KitchenError | undefined {
    for (const code of this.#codes) {
      const refusal = this.#byGround.get(groundOf(job, code));
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }
}

/** What a job has in common with all that are refused with it. */
function groundOf({ id, queue, spec }: SubmittedJob, code: ErrorCode): string {
  // A full queue still takes the jobs that it knows.
  if (code === "KS_BUSY" && !isContentId(id)) return `${code} ${queue}`;
  if (code !== "KS_ARBITRARY_BANNED") return `${code} ${id}`;
  const { namespace, name, units } = parseSpec(spec);
  return `${code} ${name === null || units.length > 0} ${namespace}`;
}
