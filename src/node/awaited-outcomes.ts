import { KitchenError } from "../core/errors.ts";
import type { JobId } from "../core/ids.ts";
import { showBytes } from "../core/show-bytes.ts";
import type { Store } from "../store/port.ts";

/** What results of other jobs a run is given together, in bytes; larger ones are files, and count little. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * What these jobs came to, which have all succeeded: an outcome as bytes each.
 * @throws KitchenError `KS_NO_SUCH_JOB`: one has expired; `KS_TOO_LARGE`: they are too much for one run
 */
export async function awaitedOutcomes(
  store: Pick<Store, "read">,
  ids: readonly JobId[],
): Promise<readonly Uint8Array[]> {
  if (ids.length === 0) return [];
  const records = await store.read(ids);
  const outcomes = records.map((record, at) => record?.outcome ?? expired(ids[at]));
  const bytes = outcomes.reduce((sum, { length }) => sum + length, 0);
  if (bytes <= MOST_BYTES) return outcomes;
  throw new KitchenError(
    "KS_TOO_LARGE",
    `The results of ${ids.length} jobs, ${showBytes(bytes)} together, are more than the ${showBytes(MOST_BYTES)} that one run is given (have them return RemoteData, or gather them in steps)`,
  );
}

function expired(id: JobId | undefined): never {
  throw new KitchenError(
    "KS_NO_SUCH_JOB",
    `The result of the job ${id}, which is an argument of this one, has expired (results are kept for --result-ttl)`,
  );
}
