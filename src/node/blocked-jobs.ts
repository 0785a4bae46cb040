import type { JobId, NodeName } from "../core/ids.ts";
import type { BlockedJob, NewJob, ReleaseRow, Store } from "../store/port.ts";
import { releaseOf } from "./release.ts";
import type { Router } from "./router.ts";

export interface BlockedJobsOptions {
  readonly node: NodeName;
  readonly store: Pick<Store, "watch" | "release">;
  readonly router: Pick<Router, "route">;
  readonly warn: (message: string) => void;
}

interface Ready {
  readonly job: BlockedJob;
  readonly row: ReleaseRow;
}

/**
 * Jobs that wait for the results of others. The node that took one in releases it as soon as these have ended; when that
 * node is gone, or has missed an end, any node finds it by a sweep.
 */
export class BlockedJobs {
  readonly #options: BlockedJobsOptions;
  /** By each job that is waited for: who waits. */
  readonly #waiting = new Map<JobId, Set<BlockedJob>>();

  constructor(options: BlockedJobsOptions) {
    this.#options = options;
  }

  /** Takes note of jobs that were queued just now; of those that wait for others. */
  follow(jobs: readonly NewJob[]): void {
    const blocked = jobs.flatMap(({ id, queue, inputs = [], after, refusal }) =>
      after === undefined || refusal !== undefined ? [] : [{ id, queue, inputs, after }],
    );
    if (blocked.length > 0) this.look(blocked);
  }

  /** Releases those of them that wait for nothing any more, and follows what the others wait for. */
  look(jobs: readonly BlockedJob[]): void {
    this.#look(jobs).catch((error: unknown) =>
      this.#options.warn(`cannot release jobs that wait for others: ${String(error)}`),
    );
  }

  /** A job has ended. */
  ended(id: JobId): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    this.look([...waiting]);
  }

  /** Events may have been missed: looks at all that are waited for. */
  recheck(): void {
    const all = new Set([...this.#waiting.values()].flatMap((waiting) => [...waiting]));
    this.#waiting.clear();
    if (all.size > 0) this.look([...all]);
  }

  async #look(jobs: readonly BlockedJob[]): Promise<void> {
    const { node, store } = this.#options;
    const ids = [...new Set(jobs.flatMap(({ after }) => after))];
    // Noted first: an end may be told while the store is still asked.
    for (const job of jobs) for (const id of job.after) this.#note(id, job);
    const found = await store.watch(ids, node);
    const records = new Map(ids.map((id, at) => [id, found[at]]));
    const ready = jobs.flatMap((job) => {
      const row = releaseOf(job, records);
      return row === undefined ? [] : [{ job, row }];
    });
    if (ready.length === 0) return;
    await store.release(await this.#placed(ready));
    for (const { job } of ready) this.#forget(job);
  }

  async #placed(ready: readonly Ready[]): Promise<ReleaseRow[]> {
    const routed = await this.#options.router.route(
      ready.map(({ job: { queue }, row }) => ({ queue, inputs: row.next === "queued" ? row.inputs : [] })),
    );
    return ready.map(({ row }, at) => {
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

  #note(id: JobId, job: BlockedJob): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) this.#waiting.set(id, new Set([job]));
    else waiting.add(job);
  }

  #forget(job: BlockedJob): void {
    for (const id of job.after) {
      const waiting = this.#waiting.get(id);
      waiting?.delete(job);
      if (waiting?.size === 0) this.#waiting.delete(id);
    }
  }
}
