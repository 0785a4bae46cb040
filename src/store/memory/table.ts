import type { JobId, NodeName } from "../../core/ids.ts";
import { canMove, type FinalState, isFinal, type JobState } from "../../core/job-states.ts";
import { KitchenError } from "../../core/errors.ts";
import type { Waiting } from "../inspection.ts";
import type {
  BlockedJob,
  Expiring,
  NewJob,
  PlacementRow,
  ReleaseRow,
  StoreOptions,
  UnplacedJob,
} from "../port.ts";
import { BlockedJobs } from "./blocked.ts";
import { ownBytes, sameBytes } from "./bytes.ts";
import { DelayedJobs } from "./delays.ts";
import type { EventQueue } from "./events.ts";
import { ExpiringJobs } from "./expiries.ts";
import { FifoQueue } from "./fifo.ts";
import { fingerprint } from "./fingerprint.ts";
import { JobHeap } from "./heap.ts";
import { expiresAtMs, type MemoryJob, NOBODY } from "./job.ts";
import type { Leases } from "./leases.ts";
import { atOnce, OfferedJobs, toMemoryOffers, type Viewer } from "./offers.ts";

/** How a job lost its node. */
export interface Loss {
  readonly node: NodeName;
  /** A sweep has decided on it, and the node is gone as well that it handed the job to. */
  readonly isDecided: boolean;
}

/** All jobs with their queues, and the moves between states: whatever moves a job moves it here. */
export class JobTable {
  /** Jobs that lost their node and wait for a sweep to say what becomes of them; they are `queued` in name. */
  readonly lost: Map<MemoryJob, Loss> = new Map();
  readonly #jobs = new Map<JobId, MemoryJob>();
  readonly #queues = new Map<string, JobHeap>();
  readonly #offered = new OfferedJobs();
  readonly #delayed = new DelayedJobs();
  readonly #blocked = new BlockedJobs();
  readonly #expiring = new ExpiringJobs();
  readonly #final = new FifoQueue<MemoryJob>();
  readonly #resultTtlMs: number;
  readonly #leases: Leases;
  readonly #events: EventQueue;

  constructor(options: StoreOptions, leases: Leases, events: EventQueue) {
    this.#resultTtlMs = options.resultTtlMs;
    this.#leases = leases;
    this.#events = events;
  }

  get(id: JobId, nowMs: number): MemoryJob | undefined {
    const job = this.#jobs.get(id);
    return job !== undefined && this.#isAlive(job, nowMs) ? job : undefined;
  }

  /** Takes a fresh job in: where it waits, or as failed at once when it is refused. */
  add(
    job: MemoryJob,
    {
      nowMs,
      saidBy,
      refusal,
    }: { readonly nowMs: number; readonly saidBy: NodeName; readonly refusal: Uint8Array | undefined },
  ): void {
    this.#jobs.set(job.id, job);
    if (refusal === undefined) {
      this.#expiring.add(job);
      return job.after === undefined ? this.#wait(job, nowMs, saidBy) : this.#blocked.add(job);
    }
    job.watchers = NOBODY;
    move(job, "failed");
    this.#settle(job, "failed", refusal, { nowMs });
  }

  /** Takes up to `count` jobs that wait in a queue or are offered to the viewer, in one order. */
  take(queue: string, count: number, { viewer, nowMs }: { viewer: Viewer; nowMs: number }): MemoryJob[] {
    for (const job of this.#delayed.takeDue(queue, nowMs)) this.#putBack(job, nowMs, viewer.node);
    const heap = this.#queues.get(queue);
    const taken: MemoryJob[] = [];
    const take = (job: MemoryJob): void => {
      if (expiresAtMs(job) > nowMs) taken.push(job);
      else this.#expiring.passOver(job);
    };
    while (taken.length < count) {
      const [waiting, job] = [heap?.first, this.#offered.first(queue, viewer, nowMs)];
      if (job !== undefined && (waiting === undefined || job.order < waiting.order)) {
        this.#offered.remove(job);
        take(job);
      } else if (heap !== undefined && waiting !== undefined) {
        heap.pop();
        take(waiting);
      } else break;
    }
    return taken;
  }

  /** When the next job of these shared queues becomes visible to the viewer, or of those that are for it alone. */
  nextVisibleAtMs(queues: readonly string[], viewer: Viewer, nowMs: number): number | undefined {
    const names = queues.flatMap((queue) => [queue, `${queue}|${viewer.node}`]);
    const offered = this.#offered.nextAtMs(queues, viewer, nowMs) ?? Infinity;
    const next = Math.min(offered, this.#delayed.nextAtMs(names) ?? Infinity);
    return next === Infinity ? undefined : next;
  }

  /** How many jobs wait in a queue, in one way or another. */
  waiting(queue: string): number {
    const queued = this.#queues.get(queue)?.count ?? 0;
    return queued + this.#offered.count(queue) + this.#delayed.count(queue) + this.#blocked.count(queue);
  }

  /** The job, if it may not be begun any more. */
  overdue(id: JobId, nowMs: number): MemoryJob | undefined {
    const job = this.get(id, nowMs);
    return job !== undefined && this.#expiring.isOverdue(job, nowMs) ? job : undefined;
  }

  /** Jobs that may not be begun any more. */
  expiring(most: number, nowMs: number): Expiring {
    return this.#expiring.list(most, nowMs);
  }

  /** Offers an unplaced job anew, or refuses it; others are left alone. */
  place({ id, offers, placement, refusal }: PlacementRow, nowMs: number): void {
    const job = this.get(id, nowMs);
    if (job === undefined || !this.#offered.removeUnplaced(job)) return;
    job.placement = placement;
    job.offers = toMemoryOffers(offers, nowMs);
    if (refusal === undefined) return this.#wait(job, nowMs);
    move(job, "failed");
    this.#settle(job, "failed", refusal, { nowMs });
  }

  /** Has a blocked job wait to be begun, or ends it; others are left alone. */
  release(row: ReleaseRow, nowMs: number): void {
    const job = this.get(row.id, nowMs);
    if (job === undefined || !this.#blocked.remove(job)) return;
    if (row.next !== "queued") {
      move(job, row.next);
      return this.#settle(job, row.next, row.outcome, { nowMs });
    }
    job.after = undefined;
    job.placement = row.placement;
    job.inputs = row.inputs;
    job.offers = row.offers === undefined ? undefined : toMemoryOffers(row.offers, nowMs);
    this.#wait(job, nowMs);
  }

  /** Blocked jobs that wait for nothing any more. */
  ready(most: number, nowMs: number): BlockedJob[] {
    return this.#blocked.ready(most, (id) => {
      const job = this.get(id, nowMs);
      return job === undefined || isFinal(job.state);
    });
  }

  /** Lists jobs as unplaced that waited for this node alone, which is gone. */
  strand(node: NodeName, nowMs: number): void {
    this.#offered.strand(node, (other) => this.#leases.holds(other, nowMs));
  }

  unplaced(most: number): UnplacedJob[] {
    return this.#offered.unplaced(most).map(({ id, queue, inputs = [] }) => ({ id, queue, inputs }));
  }

  /** Where jobs wait, and how many. */
  overview(): Waiting {
    const names = new Set([
      ...this.#queues.keys(),
      ...this.#delayed.queues(),
      ...this.#offered.queues(),
      ...Array.from(this.#blocked.all(), ({ queue }) => queue),
    ]);
    const queues = Array.from(names, (queue) => ({ queue, jobs: this.waiting(queue) }));
    return {
      queues: queues.filter(({ jobs }) => jobs > 0),
      unplaced: this.#offered.unplaced(Infinity).length,
    };
  }

  start(job: MemoryJob, node: NodeName, nowMs: number): void {
    move(job, "running");
    this.#expiring.remove(job);
    job.attempt += 1;
    job.node = node;
    job.startedAtMs = nowMs;
    job.progress = undefined;
  }

  /** Ends a job. The node that says so itself needs no event. */
  end(
    job: MemoryJob,
    state: FinalState,
    outcome: Uint8Array,
    how: { readonly nowMs: number; readonly saidBy?: NodeName },
  ): void {
    job.endedRunning = job.state === "running";
    move(job, state);
    if (job.endedRunning) this.#leases.forget(job);
    else this.#takeAway(job);
    this.#settle(job, state, outcome, how);
  }

  /** From wherever it waits. */
  #takeAway(job: MemoryJob): void {
    const isElsewhere =
      this.lost.delete(job) ||
      this.#offered.remove(job) ||
      this.#expiring.removePassedOver(job) ||
      this.#blocked.remove(job) ||
      this.#delayed.remove(job);
    if (!isElsewhere) this.#queues.get(job.queue)?.markStale();
  }

  #settle(
    job: MemoryJob,
    state: FinalState,
    outcome: Uint8Array,
    { nowMs, saidBy }: { readonly nowMs: number; readonly saidBy?: NodeName },
  ): void {
    this.#expiring.remove(job);
    job.finishedAtMs = nowMs;
    job.outcome = ownBytes(outcome);
    if (job.spec !== undefined) keepSpec(job, job.spec);
    job.offers = undefined;
    job.inputs = undefined;
    job.after = undefined;
    this.#final.push(job);
    const event = { type: "finished", id: job.id, state, outcome: job.outcome } as const;
    for (const watcher of job.watchers) if (watcher !== saidBy) this.#events.tell(watcher, event);
    job.watchers = NOBODY;
  }

  /** Gives a running job back: to its queue, where it keeps its place, or as cancelled when that was asked for. */
  giveBack(
    job: MemoryJob,
    {
      nowMs,
      saidBy,
      delayMs = 0,
    }: { readonly nowMs: number; readonly saidBy?: NodeName; readonly delayMs?: number },
  ): void {
    if (job.cancelled !== undefined) return this.end(job, "cancelled", job.cancelled, { nowMs });
    this.#leases.forget(job);
    move(job, "queued");
    if (delayMs === 0) return this.requeue(job, nowMs, saidBy);
    this.#expiring.add(job);
    this.#delayed.add(job, nowMs + delayMs);
    this.#events.wake(job.queue, saidBy, delayMs);
  }

  /** Takes a running job away from a node that is lost; the next sweep says what becomes of it. */
  lose(job: MemoryJob, loss: Loss, nowMs: number): void {
    if (job.cancelled !== undefined) return this.end(job, "cancelled", job.cancelled, { nowMs });
    move(job, "queued");
    this.lost.set(job, loss);
  }

  /** Puts a job back at its old place, or offers it once more, to all of its takers at once. */
  requeue(job: MemoryJob, nowMs: number, saidBy?: NodeName): void {
    this.#expiring.add(job);
    this.#putBack(job, nowMs, saidBy);
  }

  #putBack(job: MemoryJob, nowMs: number, saidBy?: NodeName): void {
    if (job.offers !== undefined) job.offers = atOnce(job.offers);
    this.#wait(job, nowMs, saidBy);
  }

  #wait(job: MemoryJob, nowMs: number, saidBy?: NodeName): void {
    const { queue, offers } = job;
    if (offers === undefined) {
      this.#heap(queue).push(job);
      this.#events.wake(queue, saidBy, 0);
      return;
    }
    if (!this.#offered.add(job, (node) => this.#leases.holds(node, nowMs))) return;
    const delayMs = (atMs: number): number => Math.max(0, atMs - nowMs);
    for (const [node, atMs] of offers.atMs) this.#events.wake(`${queue}|${node}`, saidBy, delayMs(atMs));
    if (offers.othersAtMs !== undefined) this.#events.wake(queue, saidBy, delayMs(offers.othersAtMs));
  }

  *active(): Iterable<MemoryJob> {
    for (const heap of this.#queues.values()) yield* heap.queued();
    yield* this.#leases.runningJobs();
    yield* this.lost.keys();
    yield* this.#offered.all();
    yield* this.#expiring.passedOver;
    yield* this.#delayed.all();
    yield* this.#blocked.all();
  }

  /** All that run, of each queue the last in line, and some of those that wait in other ways. */
  *someActive(most: number): Iterable<MemoryJob> {
    for (const heap of this.#queues.values()) yield* heap.last(most);
    yield* this.#leases.runningJobs();
    const [offered, delayed, blocked] = [this.#offered.all(), this.#delayed.all(), this.#blocked.all()];
    for (const jobs of [this.lost.keys(), offered, this.#expiring.passedOver, delayed, blocked])
      yield* first(most, jobs);
  }

  dropExpired(nowMs: number, most: number): void {
    // All final jobs live equally long, so those that have expired stand first.
    for (let dropped = 0; dropped < most; dropped += 1) {
      const job = this.#final.first;
      if (job === undefined || this.#isAlive(job, nowMs)) return;
      this.#final.shift();
      // A job of this id may have been submitted again.
      if (this.#jobs.get(job.id) === job) this.#jobs.delete(job.id);
    }
  }

  dropEmptyQueues(): void {
    for (const [name, heap] of this.#queues) if (heap.isEmpty) this.#queues.delete(name);
  }

  #isAlive({ finishedAtMs }: MemoryJob, nowMs: number): boolean {
    return finishedAtMs === undefined || finishedAtMs + this.#resultTtlMs > nowMs;
  }

  #heap(queue: string): JobHeap {
    let heap = this.#queues.get(queue);
    if (heap === undefined) this.#queues.set(queue, (heap = new JobHeap()));
    return heap;
  }
}

/** Of what did not succeed, so that it can be made once more. */
function keepSpec(job: MemoryJob, spec: Uint8Array): void {
  if (job.state === "succeeded") {
    job.print = fingerprint(spec);
    job.spec = undefined;
  } else job.spec = ownBytes(spec);
}

/** Whether a job was submitted with this spec. */
export function hasSpec(job: MemoryJob, { spec }: NewJob): boolean {
  return job.spec === undefined ? job.print === fingerprint(spec) : sameBytes(job.spec, spec);
}

function* first<T>(most: number, items: Iterable<T>): Iterable<T> {
  let count = 0;
  for (const item of items) {
    if ((count += 1) > most) return;
    yield item;
  }
}

function move(job: MemoryJob, to: JobState): void {
  if (!canMove(job.state, to))
    throw new KitchenError("KS_INTERNAL", `Job ${job.id} cannot go from ${job.state} to ${to}`);
  job.state = to;
}
