import type { NodeName } from "../../core/ids.ts";
import type { Offers } from "../port.ts";
import type { MemoryJob } from "./job.ts";
import { Timetable } from "./timetable.ts";

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

/** Offers to everybody beside the nodes that are named: no node is called so. */
const OTHERS = "";

/** Queued jobs that wait in no queue: those that are offered, and those of whose takers none is there. */
export class OfferedJobs {
  readonly #queues = new Map<string, OffersOfQueue>();
  readonly #unplaced = new Set<MemoryJob>();

  /** Offers a job, or lists it as unplaced. Tells whether somebody may take it. Its offers stay the same while it is here. */
  add(job: MemoryJob, isThere: (node: NodeName) => boolean): boolean {
    if (!hasTaker(job, isThere)) {
      this.#unplaced.add(job);
      return false;
    }
    let queue = this.#queues.get(job.queue);
    if (queue === undefined) this.#queues.set(job.queue, (queue = new OffersOfQueue()));
    queue.add(job);
    return true;
  }

  /** Takes a job from wherever it waits; `false`: it does not wait here. */
  remove(job: MemoryJob): boolean {
    const queue = this.#queues.get(job.queue);
    if (queue?.remove(job) !== true) return this.#unplaced.delete(job);
    if (queue.jobs.size === 0) this.#queues.delete(job.queue);
    return true;
  }

  /** Takes a job off the list of the unplaced; `false`: it is not one. */
  removeUnplaced(job: MemoryJob): boolean {
    return this.#unplaced.delete(job);
  }

  /** Lists jobs as unplaced that wait for nobody but nodes that are gone, now that this one is. */
  strand(node: NodeName, isThere: (node: NodeName) => boolean): void {
    for (const { jobs } of this.#queues.values())
      for (const job of jobs)
        if (job.offers?.atMs.has(node) === true && !hasTaker(job, isThere)) {
          this.remove(job);
          this.#unplaced.add(job);
        }
  }

  /** The first job of a queue that the node may see. */
  first(queue: string, viewer: Viewer, nowMs: number): MemoryJob | undefined {
    return this.#queues.get(queue)?.first(viewer, nowMs);
  }

  /** When the next offer of these queues becomes visible to the node. */
  nextAtMs(queues: readonly string[], viewer: Viewer, nowMs: number): number | undefined {
    const times = queues.map((queue) => this.#queues.get(queue)?.nextAtMs(viewer, nowMs) ?? Infinity);
    const next = Math.min(...times);
    return next === Infinity ? undefined : next;
  }

  /** How many jobs of the queue wait here. */
  count(queue: string): number {
    let count = this.#queues.get(queue)?.jobs.size ?? 0;
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
    for (const { jobs } of this.#queues.values()) yield* jobs;
  }
}

function hasTaker({ offers }: MemoryJob, isThere: (node: NodeName) => boolean): boolean {
  if (offers === undefined || offers.othersAtMs !== undefined) return true;
  return [...offers.atMs.keys()].some(isThere);
}

/** The offers of one queue, by whom they are made to. */
class OffersOfQueue {
  readonly jobs = new Set<MemoryJob>();
  readonly #audiences = new Map<string, Audience>();

  add(job: MemoryJob): void {
    this.jobs.add(job);
    for (const [name, atMs] of timesOf(job)) {
      let audience = this.#audiences.get(name);
      if (audience === undefined) this.#audiences.set(name, (audience = new Audience()));
      audience.add(job, atMs);
    }
  }

  remove(job: MemoryJob): boolean {
    for (const [name] of timesOf(job)) {
      const audience = this.#audiences.get(name);
      audience?.remove(job);
      if (audience?.isEmpty === true) this.#audiences.delete(name);
    }
    return this.jobs.delete(job);
  }

  first(viewer: Viewer, nowMs: number): MemoryJob | undefined {
    let first: MemoryJob | undefined;
    for (const audience of this.#audiencesOf(viewer)) {
      const job = audience.first(nowMs);
      if (job !== undefined && (first === undefined || job.order < first.order)) first = job;
    }
    return first;
  }

  nextAtMs(viewer: Viewer, nowMs: number): number {
    return Math.min(...this.#audiencesOf(viewer).map((audience) => audience.nextAtMs(nowMs) ?? Infinity));
  }

  #audiencesOf({ node, takesData }: Viewer): Audience[] {
    const names = takesData ? [node, OTHERS] : [node];
    return names.map((name) => this.#audiences.get(name)).filter((audience) => audience !== undefined);
  }
}

/** What is offered to a node, or to all others: what it sees by its order, so that a claim looks at no more than it takes. */
class Audience {
  readonly #visible = new Timetable<MemoryJob>();
  readonly #later = new Timetable<MemoryJob>();

  get isEmpty(): boolean {
    return this.#visible.size + this.#later.size === 0;
  }

  add(job: MemoryJob, atMs: number): void {
    this.#later.add(job, atMs);
  }

  remove(job: MemoryJob): void {
    if (!this.#later.remove(job)) this.#visible.remove(job);
  }

  first(nowMs: number): MemoryJob | undefined {
    this.#show(nowMs);
    return this.#visible.first;
  }

  nextAtMs(nowMs: number): number | undefined {
    this.#show(nowMs);
    return this.#later.firstAtMs;
  }

  #show(nowMs: number): void {
    for (const job of this.#later.takeDue(nowMs)) this.#visible.add(job, job.order);
  }
}

function timesOf({ offers }: MemoryJob): (readonly [audience: string, atMs: number])[] {
  if (offers === undefined) return [];
  const { atMs, othersAtMs } = offers;
  return othersAtMs === undefined ? [...atMs] : [...atMs, [OTHERS, othersAtMs]];
}
