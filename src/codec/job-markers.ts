import type { JobId } from "../core/ids.ts";
import { rewritten } from "./rewritten.ts";

/**
 * How jobs travel among the arguments of others: as an object of this one key, which holds the id. The spec names them as
 * well, so that no object of the user's is ever taken for one.
 */
export const JOB_KEY = "kitchensink:job";

/** A copy of arguments with markers in the places of jobs, and their ids, each once. */
export function withJobMarkers(
  args: readonly unknown[],
  idOf: (value: object) => JobId | undefined,
): { readonly args: readonly unknown[]; readonly ids: readonly JobId[] } {
  const ids = new Set<JobId>();
  const marked = rewritten(args, (value) => {
    const id = idOf(value);
    if (id === undefined) return undefined;
    ids.add(id);
    return { by: { [JOB_KEY]: id } };
  });
  return { args: marked as readonly unknown[], ids: [...ids] };
}

/** A copy of arguments with the results in the places of the markers of these jobs. */
export function withResults(
  args: readonly unknown[],
  results: ReadonlyMap<JobId, unknown>,
): readonly unknown[] {
  return rewritten(args, (value) => {
    const id = markedId(value);
    return id !== undefined && results.has(id) ? { by: results.get(id) } : undefined;
  }) as readonly unknown[];
}

function markedId(value: object): JobId | undefined {
  if (!Object.hasOwn(value, JOB_KEY) || Object.keys(value).length !== 1) return undefined;
  return Reflect.get(value, JOB_KEY) as JobId;
}
