import type { MemoryJob } from "./job.ts";
import { Timetable } from "./timetable.ts";

/** Jobs that wait for the time when they go back to where they waited before, by queue. */
export class DelayedJobs {
  readonly #queues = new Map<string, Timetable<MemoryJob>>();

  add(job: MemoryJob, untilMs: number): void {
    let jobs = this.#queues.get(job.queue);
    if (jobs === undefined) this.#queues.set(job.queue, (jobs = new Timetable()));
    jobs.add(job, untilMs);
  }

  /** `false`: it does not wait here. */
  remove(job: MemoryJob): boolean {
    const jobs = this.#queues.get(job.queue);
    if (jobs?.remove(job) !== true) return false;
    if (jobs.size === 0) this.#queues.delete(job.queue);
    return true;
  }

  /** Takes those of a queue whose time has come. */
  takeDue(queue: string, nowMs: number): MemoryJob[] {
    const due = this.#queues.get(queue)?.due(nowMs) ?? [];
    for (const job of due) this.remove(job);
    return due;
  }

  /** When the next one of these queues is due. */
  nextAtMs(queues: readonly string[]): number | undefined {
    const times = queues.map((queue) => this.#queues.get(queue)?.firstAtMs ?? Infinity);
    const next = Math.min(...times);
    return next === Infinity ? undefined : next;
  }

  count(queue: string): number {
    return this.#queues.get(queue)?.size ?? 0;
  }

  queues(): Iterable<string> {
    return this.#queues.keys();
  }

  *all(): Iterable<MemoryJob> {
    for (const jobs of this.#queues.values()) yield* jobs.items();
  }
}
