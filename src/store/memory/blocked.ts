import type { JobId } from "../../core/ids.ts";
import type { BlockedJob } from "../port.ts";
import type { MemoryJob } from "./job.ts";

/** Queued jobs that wait for other jobs, and in no queue. */
export class BlockedJobs {
  readonly #jobs = new Set<MemoryJob>();

  add(job: MemoryJob): void {
    this.#jobs.add(job);
  }

  /** `false`: it does not wait here. */
  remove(job: MemoryJob): boolean {
    return this.#jobs.delete(job);
  }

  /** How many jobs of the queue wait here. */
  count(queue: string): number {
    let count = 0;
    for (const job of this.#jobs) if (job.queue === queue) count += 1;
    return count;
  }

  /** Those that wait for nothing any more, of the first `most`; these stand last from then on. */
  ready(most: number, hasEnded: (id: JobId) => boolean): BlockedJob[] {
    const looked = [...this.#jobs].slice(0, most);
    for (const job of looked) {
      this.#jobs.delete(job);
      this.#jobs.add(job);
    }
    return looked.flatMap(({ id, queue, inputs = [], after = [] }) =>
      after.every(hasEnded) ? [{ id, queue, inputs, after }] : [],
    );
  }

  all(): Iterable<MemoryJob> {
    return this.#jobs;
  }
}
