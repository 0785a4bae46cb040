import type { JobId } from "../../core/ids.ts";
import type { JobRecord } from "../../store/port.ts";

/** Outcomes may have a megabyte each, and more where a node is told so. */
const AT_ONCE = 32;

/** What is known of these jobs, in their order, a few at a time: who keeps little of each never has all of it here. */
export async function* eachRecord(
  ids: readonly JobId[],
  read: (ids: readonly JobId[]) => Promise<readonly (JobRecord | undefined)[]>,
): AsyncGenerator<readonly [id: JobId, record: JobRecord | undefined]> {
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const part = ids.slice(from, from + AT_ONCE);
    const records = await read(part);
    for (const [at, id] of part.entries()) yield [id, records[at]];
  }
}
