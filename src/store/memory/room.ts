import type { JobId } from "../../core/ids.ts";
import type { NewJob } from "../port.ts";

/**
 * The first queue in which more jobs than the limit would wait with these. Of rows with the same id the first one counts,
 * and of those that are refused none.
 */
export function fullQueue(
  rows: readonly NewJob[],
  { limit, waiting }: { readonly limit: number; readonly waiting: (queue: string) => number },
): string | undefined {
  const seen = new Set<JobId>();
  const counts = new Map<string, number>();
  for (const { id, queue, refusal } of rows) {
    if (seen.has(id)) continue;
    seen.add(id);
    if (refusal !== undefined) continue;
    const count = (counts.get(queue) ?? waiting(queue)) + 1;
    if (count > limit) return queue;
    counts.set(queue, count);
  }
  return undefined;
}
