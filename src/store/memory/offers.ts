import type { NodeName } from "../../core/ids.ts";
import type { Offers } from "../port.ts";
import type { MemoryJob } from "./job.ts";

/** Whom a job is offered to and from when on, in ms since the epoch. */
export interface MemoryOffers {
  readonly atMs: ReadonlyMap<NodeName, number>;
  /** `undefined`: never. */
  readonly othersAtMs: number | undefined;
}

/** What of a claim says which jobs it may see. */
export interface Viewer {
  readonly node: NodeName;
  readonly takesData: boolean;
}

/** Reads offers, from now on. */
export function toMemoryOffers({ nodes, othersDelayMs }: Offers, nowMs: number): MemoryOffers {
  const atMs = (delayMs: number): number => nowMs + Math.max(0, Math.ceil(delayMs));
  return {
    atMs: new Map(nodes.map(({ node, delayMs }) => [node, atMs(delayMs)])),
    othersAtMs: othersDelayMs === null ? undefined : atMs(othersDelayMs),
  };
}

/** The same offers, visible to all at once. */
export function atOnce({ atMs, othersAtMs }: MemoryOffers): MemoryOffers {
  const past = -Infinity;
  return {
    atMs: new Map(Array.from(atMs.keys(), (node) => [node, past])),
    othersAtMs: othersAtMs === undefined ? undefined : past,
  };
}

/** Queued jobs that wait in no queue: those that are offered, and those of whose takers none is there. */
export class OfferedJobs {
  readonly #queues = new Map<string, Set<MemoryJob>>();
  readonly #unplaced = new Set<MemoryJob>();

  /** Offers a job, or lists it as unplaced. Tells whether somebody may take it. */
  add(job: MemoryJob, isThere: (node: NodeName) => boolean): boolean {
    if (!hasTaker(job, isThere)) {
      this.#unplaced.add(job);
      return false;
    }
    const jobs = this.#queues.get(job.queue);
    if (jobs === undefined) this.#queues.set(job.queue, new Set([job]));
    else jobs.add(job);
    return true;
  }

  /** Takes a job from wherever it waits; `false`: it does not wait here. */
  remove(job: MemoryJob): boolean {
    const jobs = this.#queues.get(job.queue);
    if (jobs?.delete(job) !== true) return this.#unplaced.delete(job);
    if (jobs.size === 0) this.#queues.delete(job.queue);
    return true;
  }

  /** Takes a job off the list of the unplaced; `false`: it is not one. */
  removeUnplaced(job: MemoryJob): boolean {
    return this.#unplaced.delete(job);
  }

  /** Lists jobs as unplaced that wait for nobody but nodes that are gone, now that this one is. */
  strand(node: NodeName, isThere: (node: NodeName) => boolean): void {
    for (const jobs of this.#queues.values())
      for (const job of jobs)
        if (job.offers?.atMs.has(node) === true && !hasTaker(job, isThere)) {
          this.remove(job);
          this.#unplaced.add(job);
        }
  }

  /** The jobs of a queue that the node may see, in their order. */
  visible(queue: string, viewer: Viewer, nowMs: number): MemoryJob[] {
    const jobs = [...(this.#queues.get(queue) ?? [])];
    return jobs
      .filter(({ offers }) => timesOf(offers, viewer).some((atMs) => atMs <= nowMs))
      .toSorted((a, b) => a.order - b.order);
  }

  /** When the next offer of these queues becomes visible to the node. */
  nextAtMs(queues: readonly string[], viewer: Viewer, nowMs: number): number | undefined {
    let next = Infinity;
    for (const queue of queues)
      for (const { offers } of this.#queues.get(queue) ?? [])
        for (const atMs of timesOf(offers, viewer)) if (atMs > nowMs && atMs < next) next = atMs;
    return next === Infinity ? undefined : next;
  }

  /** How many jobs of the queue wait here. */
  count(queue: string): number {
    let count = this.#queues.get(queue)?.size ?? 0;
    for (const job of this.#unplaced) if (job.queue === queue) count += 1;
    return count;
  }

  /** The queues of those that wait here. */
  queues(): string[] {
    return Array.from(this.all(), ({ queue }) => queue);
  }

  /** The oldest and most urgent first. */
  unplaced(most: number): MemoryJob[] {
    return [...this.#unplaced].toSorted((a, b) => a.order - b.order).slice(0, most);
  }

  *all(): Iterable<MemoryJob> {
    yield* this.offered();
    yield* this.#unplaced;
  }

  /** Those that somebody may take. */
  *offered(): Iterable<MemoryJob> {
    for (const jobs of this.#queues.values()) yield* jobs;
  }
}

function hasTaker({ offers }: MemoryJob, isThere: (node: NodeName) => boolean): boolean {
  if (offers === undefined || offers.othersAtMs !== undefined) return true;
  return [...offers.atMs.keys()].some(isThere);
}

function timesOf(offers: MemoryOffers | undefined, { node, takesData }: Viewer): number[] {
  const times = [offers?.atMs.get(node), takesData ? offers?.othersAtMs : undefined];
  return times.filter((atMs) => atMs !== undefined);
}
