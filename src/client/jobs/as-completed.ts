import { inspect } from "node:util";
import { KitchenError } from "../../core/errors.ts";
import type { Job } from "./job.ts";
import { jobIdOf } from "../calls/job-argument.ts";

/** How one of several jobs ended. */
export type Completed<R> = CompletedJob<R> &
  (
    | { readonly status: "fulfilled"; readonly value: R }
    | { readonly status: "rejected"; readonly reason: unknown }
  );

interface CompletedJob<R> {
  readonly job: Job<R>;
  /** Its place among those given, from 0. */
  readonly index: number;
}

/**
 * Gives jobs in the order in which they end, also those that fail; each once. Whoever stops to listen leaves the others to
 * go on.
 *
 * @throws KitchenError `KS_USAGE` at the first step, for what is no job
 * @example
 * ```ts
 * for await (const { job, status } of asCompleted(jobs)) console.log(job.id, status);
 * ```
 */
export async function* asCompleted<R>(jobs: Iterable<Job<R>>): AsyncGenerator<Completed<R>, void, undefined> {
  const ended: Completed<R>[] = [];
  let left = 0;
  let wake = (): void => {};
  const end = (completed: Completed<R>): void => {
    ended.push(completed);
    wake();
  };
  for (const job of jobs) {
    const index = left++;
    if (!isJob(job)) throw noJob(job, index);
    job.then(
      (value) => end({ job, index, status: "fulfilled", value }),
      (reason: unknown) => end({ job, index, status: "rejected", reason }),
    );
  }
  for (; left > 0; left -= 1) {
    if (ended.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    yield ended.shift()!;
  }
}

function isJob(value: unknown): boolean {
  return typeof value === "object" && value !== null && jobIdOf(value) !== undefined;
}

function noJob(value: unknown, index: number): KitchenError {
  return new KitchenError(
    "KS_USAGE",
    `Cannot wait for item ${index} of asCompleted: it is no job, but ${inspect(value, { depth: 0 })} (give it what c.call returns, without await)`,
  );
}
