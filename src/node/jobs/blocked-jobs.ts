import type { JobId, NodeName } from "../../core/ids.ts";
import { isFinal, type JobState } from "../../core/job-states.ts";
import type { BlockedJob, NewJob, ReleaseRow, Store } from "../../store/port.ts";
import { eachRecord } from "./each-record.ts";
import { type AwaitedJob, awaitedJob, releaseOf } from "./release.ts";
import type { Router } from "./router.ts";

export interface BlockedJobsOptions {
  readonly node: NodeName;
  readonly store: Pick<Store, "watch" | "read" | "release">;
  readonly router: Pick<Router, "route">;
  readonly warn: (message: string) => void;
}

/** A blocked job, and those of the jobs that it waits for whose ends were not heard of. */
interface Waiter {
  readonly job: BlockedJob;
  readonly missing: Set<JobId>;
}

/**
 * Jobs that wait for the results of others. The node that took one in releases it as soon as these have ended; when that
 * node is gone, or has missed an end, any node finds it by a sweep.
 */
export class BlockedJobs {
  readonly #options: BlockedJobsOptions;
  /** By each job that is waited for: who waits. */
  readonly #waiters = new Map<JobId, Set<Waiter>>();
  /** What waits for nothing any more, to be released in the next turn of the event loop. */
  readonly #ready = new Set<BlockedJob>();

  constructor(options: BlockedJobsOptions) {
    this.#options = options;
  }

  /** Takes note of those of the jobs, queued just now, that wait for others. */
  follow(jobs: readonly NewJob[]): void {
    const blocked = jobs.flatMap(({ id, queue, inputs = [], after, refusal }) =>
      after === undefined || refusal !== undefined ? [] : [{ id, queue, inputs, after }],
    );
    if (blocked.length > 0) this.#tell(this.#follow(blocked));
  }

  /** These wait for nothing any more. */
  ready(jobs: readonly BlockedJob[]): void {
    for (const job of jobs) this.#release(job);
  }

  /** A job has ended. Whoever waits for it waits on for the others, unless it came to nothing. */
  ended(id: JobId, state: JobState): void {
    for (const waiter of this.#waiters.get(id) ?? []) {
      waiter.missing.delete(id);
      if (state === "succeeded" && waiter.missing.size > 0) continue;
      this.#forget(waiter);
      this.#release(waiter.job);
    }
    this.#waiters.delete(id);
  }

  /** Events may have been missed: asks for all that are waited for. */
  recheck(): void {
    const waiters = new Set([...this.#waiters.values()].flatMap((all) => [...all]));
    this.#waiters.clear();
    if (waiters.size > 0) this.#tell(this.#follow(Array.from(waiters, ({ job }) => job)));
  }

  async #follow(jobs: readonly BlockedJob[]): Promise<void> {
    // Noted first: an end may be told while the store is still asked.
    for (const job of jobs) this.#note({ job, missing: new Set(job.after) });
    const { store, node } = this.#options;
    const ids = [...new Set(jobs.flatMap(({ after }) => after))];
    for await (const [id, record] of eachRecord(ids, (part) => store.watch(part, node))) {
      // One that is not known will never end.
      const state = record?.state ?? "failed";
      if (isFinal(state)) this.ended(id, state);
    }
  }

  #release(job: BlockedJob): void {
    if (this.#ready.size === 0) setImmediate(() => this.#tell(this.#releaseAll()));
    this.#ready.add(job);
  }

  async #releaseAll(): Promise<void> {
    const { store } = this.#options;
    const jobs = [...this.#ready];
    this.#ready.clear();
    const ids = [...new Set(jobs.flatMap(({ after }) => after))];
    const awaited = new Map<JobId, AwaitedJob>();
    for await (const [id, record] of eachRecord(ids, (part) => store.read(part)))
      if (record !== undefined) awaited.set(id, awaitedJob(record));
    const rows = jobs.flatMap((job) => {
      const row = releaseOf(job, awaited);
      return row === undefined ? [] : [{ queue: job.queue, row }];
    });
    if (rows.length > 0) await store.release(await this.#placed(rows));
  }

  /** Those that have data to go to are offered to nodes. */
  async #placed(
    rows: readonly { readonly queue: string; readonly row: ReleaseRow }[],
  ): Promise<ReleaseRow[]> {
    const routed = await this.#options.router.route(
      rows.map(({ queue, row }) => ({ queue, inputs: row.next === "queued" ? row.inputs : [] })),
    );
    return rows.map(({ row }, at) => {
      const { offers, placement, refusal } = routed[at] ?? {};
      if (row.next !== "queued") return row;
      if (refusal !== undefined) return { id: row.id, next: "failed", outcome: refusal };
      return {
        ...row,
        ...(offers === undefined ? {} : { offers }),
        ...(placement === undefined ? {} : { placement }),
      };
    });
  }

  #note(waiter: Waiter): void {
    for (const id of waiter.missing) {
      const waiters = this.#waiters.get(id);
      if (waiters === undefined) this.#waiters.set(id, new Set([waiter]));
      else waiters.add(waiter);
    }
  }

  #forget(waiter: Waiter): void {
    for (const id of waiter.missing) {
      const waiters = this.#waiters.get(id);
      waiters?.delete(waiter);
      if (waiters?.size === 0) this.#waiters.delete(id);
    }
  }

  /** What could not be told to the store is found by a sweep. */
  #tell(work: Promise<void>): void {
    work.catch((error: unknown) =>
      this.#options.warn(`cannot release jobs that wait for others: ${String(error)}`),
    );
  }
}
