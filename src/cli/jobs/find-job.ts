import type { Http } from "../../client/connection/http.ts";
import { KitchenError } from "../../core/errors.ts";
import { isJobId, type JobId } from "../../core/ids.ts";
import { fetchJobs, missingFrom } from "./listing.ts";

const PART = /^[0-9a-f-]{4,}$/;
/** Among so many a short id is looked for: the newest. */
const LISTED = 500;

/**
 * The job that a person means: by its id, or by how that begins or ends, where only one does.
 * @throws KitchenError `KS_USAGE` for what is no id, or fits several; `KS_NO_SUCH_JOB`
 */
export async function findJob(
  text: string,
  asked: { readonly http: Http; readonly signal?: AbortSignal },
): Promise<JobId> {
  const part = text.toLowerCase();
  if (isJobId(part)) return part;
  if (!PART.test(part)) throw notAnId(text);
  const { jobs, silent } = await fetchJobs(asked, { limit: LISTED });
  const fitting = jobs.filter(({ id }) => id.startsWith(part) || id.endsWith(part));
  const [job, another] = fitting;
  if (job === undefined) throw noneOfThem(part, silent);
  if (another === undefined) return job.id;
  const some = fitting.slice(0, 3).map(({ id, label }) => `${id} (${label})`);
  throw new KitchenError(
    "KS_USAGE",
    `${fitting.length} jobs have ids that begin or end with ${part}, such as ${some.join(", ")}: give more of it`,
  );
}

function notAnId(text: string): KitchenError {
  return new KitchenError(
    "KS_USAGE",
    `Not a job's id: ${JSON.stringify(text)} (expected a UUID, or four or more characters of its beginning or end; kitchensink jobs lists them)`,
  );
}

function noneOfThem(part: string, silent: readonly string[]): KitchenError {
  const missing = silent.map((name) => `; ${missingFrom(name)}`).join("");
  return new KitchenError(
    "KS_NO_SUCH_JOB",
    `None of the last ${LISTED} jobs has an id that begins or ends with ${part}${missing} (kitchensink jobs lists them; a whole id finds older ones)`,
  );
}
