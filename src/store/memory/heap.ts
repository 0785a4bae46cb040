import type { MemoryJob } from "./job.ts";

/**
 * The jobs of one queue, a binary heap by `order`. Jobs that were cancelled meanwhile stay where they are until they
 * come up, or until they are the greater part: so a cancel costs nothing and memory is still given back.
 */
export class JobHeap {
  #jobs: MemoryJob[] = [];
  #stale = 0;

  push(job: MemoryJob): void {
    const jobs = this.#jobs;
    let at = jobs.length;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = jobs[parentAt]!;
      if (parent.order <= job.order) break;
      jobs[at] = parent;
      at = parentAt;
    }
    jobs[at] = job;
  }

  /** The first job that is still queued. */
  get first(): MemoryJob | undefined {
    for (;;) {
      const job = this.#jobs[0];
      if (job === undefined || job.state === "queued") return job;
      this.#popAny();
      this.#stale -= 1;
    }
  }

  /** Takes the first job that is still queued. */
  pop(): MemoryJob | undefined {
    return this.first === undefined ? undefined : this.#popAny();
  }

  /** Says that one of the jobs here is not queued any more. */
  markStale(): void {
    this.#stale += 1;
    if (this.#stale * 2 <= this.#jobs.length) return;
    this.#jobs = this.#jobs.filter((job) => job.state === "queued").toSorted((a, b) => a.order - b.order);
    this.#stale = 0;
  }

  /** How many jobs are queued here. */
  get count(): number {
    return this.#jobs.length - this.#stale;
  }

  get isEmpty(): boolean {
    return this.#jobs.length === 0;
  }

  *queued(): Iterable<MemoryJob> {
    for (const job of this.#jobs) if (job.state === "queued") yield job;
  }

  /** The last `most` that are queued, or all. */
  last(most: number): MemoryJob[] {
    let kept: MemoryJob[] = [];
    let least = -Infinity;
    for (const job of this.queued()) {
      if (job.order <= least) continue;
      kept.push(job);
      // Cut now and then, as sorting all would take a second for a million.
      if (kept.length < 2 * most) continue;
      kept = kept.toSorted((a, b) => b.order - a.order).slice(0, most);
      least = kept.at(-1)?.order ?? least;
    }
    return kept.toSorted((a, b) => b.order - a.order).slice(0, most);
  }

  #popAny(): MemoryJob | undefined {
    const first = this.#jobs[0];
    const last = this.#jobs.pop();
    if (last !== undefined && last !== first) this.#sinkFromTop(last);
    return first;
  }

  #sinkFromTop(job: MemoryJob): void {
    const jobs = this.#jobs;
    const half = jobs.length >> 1;
    let at = 0;
    while (at < half) {
      let childAt = 2 * at + 1;
      if (childAt + 1 < jobs.length && jobs[childAt + 1]!.order < jobs[childAt]!.order) childAt += 1;
      const child = jobs[childAt]!;
      if (child.order >= job.order) break;
      jobs[at] = child;
      at = childAt;
    }
    jobs[at] = job;
  }
}
