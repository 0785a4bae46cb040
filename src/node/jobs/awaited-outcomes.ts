import { KitchenError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import { showBytes } from "../../core/show-bytes.ts";
import type { Store } from "../../store/port.ts";
import { eachRecord } from "./each-record.ts";

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
  const outcomes: Uint8Array[] = [];
  let bytes = 0;
  for await (const [id, record] of eachRecord(ids, (part) => store.read(part))) {
    const outcome = record?.outcome ?? expired(id);
    bytes += outcome.length;
    if (bytes > MOST_BYTES) throw tooMuch(ids.length);
    outcomes.push(outcome);
  }
  return outcomes;
}

function tooMuch(jobs: number): KitchenError {
  return new KitchenError(
    "KS_TOO_LARGE",
    `The results of ${jobs} jobs together are more than the ${showBytes(MOST_BYTES)} that one run is given (have them return RemoteData, or gather them in steps)`,
  );
}

function expired(id: JobId): never {
  throw new KitchenError(
    "KS_NO_SUCH_JOB",
    `The result of the job ${id}, which is an argument of this one, has expired (results are kept for --result-ttl)`,
  );
}
