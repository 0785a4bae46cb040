import { rewritten } from "../../codec/rewritten.ts";
import type { Job } from "./job.ts";
import { jobIdOf } from "../calls/job-argument.ts";

/** A value with results in the places of jobs. */
export type Gathered<T> =
  T extends Job<infer R>
    ? R
    : T extends ReadonlyMap<infer Key, infer Value>
      ? Map<Key, Gathered<Value>>
      : T extends ReadonlySet<infer Item>
        ? Set<Gathered<Item>>
        : T extends (...args: never[]) => unknown
          ? T
          : T extends object
            ? { -readonly [Key in keyof T]: Gathered<T[Key]> }
            : T;

/** Waits for all jobs in a value; see `Client.gather`. */
export async function gather<const T>(value: T): Promise<Gathered<T>> {
  const jobs = jobsIn(value);
  // Each is awaited from the beginning: one that fails late is nobody's surprise.
  const results = await Promise.all(jobs);
  const byJob = new Map(jobs.map((job, at) => [job as object, results[at]]));
  return rewritten(value, (held) => (byJob.has(held) ? { by: byJob.get(held) } : undefined)) as Gathered<T>;
}

function jobsIn(value: unknown): readonly Job<unknown>[] {
  const jobs = new Set<Job<unknown>>();
  rewritten(value, (held) => {
    if (jobIdOf(held) === undefined) return undefined;
    jobs.add(held as Job<unknown>);
    return { by: undefined };
  });
  return [...jobs];
}
