import type { Expiring } from "../port.ts";
import { expiresAtMs, type MemoryJob } from "./job.ts";
import { Timetable } from "./timetable.ts";

/** Queued jobs that may not be begun later than at a certain time. */
export class ExpiringJobs {
  readonly #jobs = new Timetable<MemoryJob>();
  /** Those that a claim found to be late: they wait nowhere else any more. */
  readonly #passedOver = new Set<MemoryJob>();

  /** A job is queued. */
  add(job: MemoryJob): void {
    if (job.ttlMs !== undefined) this.#jobs.add(job, expiresAtMs(job));
  }

  /** It begins, or ends. */
  remove(job: MemoryJob): void {
    this.#jobs.remove(job);
  }

  passOver(job: MemoryJob): void {
    this.#passedOver.add(job);
  }

  /** `false`: no claim had passed it over. */
  removePassedOver(job: MemoryJob): boolean {
    return this.#passedOver.delete(job);
  }

  get passedOver(): Iterable<MemoryJob> {
    return this.#passedOver;
  }

  isOverdue(job: MemoryJob, nowMs: number): boolean {
    return this.#jobs.has(job) && expiresAtMs(job) <= nowMs;
  }

  /** Those that may not be begun any more, and when the next one is due. */
  list(most: number, nowMs: number): Expiring {
    const due = this.#jobs.due(nowMs);
    const nextAtMs = this.#jobs.firstAfter(due.length);
    const rows = due.slice(0, most).map(({ id, queue, label, ttlMs = 0, attempt, pastDeaths }) => {
      return { id, queue, label, ttlMs, attempt, pastDeaths };
    });
    if (due.length >= most) return { due: rows, nextMs: 0 };
    return { due: rows, nextMs: nextAtMs === undefined ? undefined : nextAtMs - nowMs };
  }
}
