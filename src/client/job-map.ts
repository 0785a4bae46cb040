import type { Job } from "./job.ts";

/** The jobs of a `map`: awaited, all results in order; iterated over, results in the order in which they come. */
export class JobMap<R> implements PromiseLike<R[]>, AsyncIterable<R> {
  readonly jobs: readonly Job<R>[];

  constructor(jobs: readonly Job<R>[]) {
    this.jobs = jobs;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- to be awaited is what it is for
  then<A = R[], B = never>(
    onValues?: ((values: R[]) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return Promise.all(this.jobs).then(onValues, onError);
  }

  /** Results as they come. Throws what the first job that fails throws. */
  async *[Symbol.asyncIterator](): AsyncGenerator<R> {
    const ended: Promise<R>[] = [];
    let wake = (): void => {};
    for (const job of this.jobs) {
      const result = Promise.resolve(job);
      const arrived = (): void => {
        ended.push(result);
        wake();
      };
      result.then(arrived, arrived);
    }
    for (let given = 0; given < this.jobs.length; given += 1) {
      if (ended.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const next = ended.shift();
      if (next !== undefined) yield await next;
    }
  }

  /** Cancels the jobs that have not ended. */
  async cancel(reason?: string): Promise<void> {
    await Promise.all(this.jobs.map((job) => job.cancel(reason)));
  }
}
