import type { Job } from "./job.ts";

/** How one of several jobs ended. */
export type Completed<R> = {
  readonly job: Job<R>;
  /** Its place among those given, from 0. */ readonly index: number;
} & (
  | { readonly status: "fulfilled"; readonly value: R }
  | { readonly status: "rejected"; readonly reason: unknown }
);

/**
 * Gives jobs in the order in which they end, also those that fail; each once. Whoever stops to listen leaves the others to
 * go on.
 *
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
