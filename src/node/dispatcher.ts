import { setTimeout as sleep } from "node:timers/promises";
import { decideNext, type AttemptEnd } from "../core/attempt.ts";
import { KitchenError } from "../core/errors.ts";
import type { JobId, NodeName } from "../core/ids.ts";
import type { JobSpec } from "../core/messages.ts";
import { HeldWork, RunTimes } from "../core/prefetch.ts";
import { parseSpec } from "../codec/wire.ts";
import type { ClaimedJob, ProgressRow, RunningJob, Store } from "../store/port.ts";
import type { Pool } from "../worker/pool.ts";
import type { WorkerProcess } from "../worker/worker-process.ts";
import type { Activity } from "./activity/activity.ts";
import { Alarm } from "./alarm.ts";
import { Attempt, type AttemptLane, type AttemptOptions } from "./attempt.ts";
import { awaitedOutcomes } from "./awaited-outcomes.ts";
import { errorOutcome } from "./outcomes.ts";
import type { Tally } from "./metrics/tally.ts";
import { Recall } from "./recall.ts";
import type { StoreWriter } from "./store-writer.ts";
import type { Streams } from "./streams.ts";
import type { UnitCache } from "./unit-cache.ts";

const NO_OUTCOMES: readonly Uint8Array[] = [];
/** How long the ends of killed workers are waited for. */
const KILL_MS = 2_000;

export interface DispatcherOptions {
  readonly node: NodeName;
  readonly store: Store;
  readonly pool: Pool;
  readonly units: UnitCache;
  readonly writer: StoreWriter;
  readonly streams: Streams;
  /** Shared queues, by their plain names. */
  readonly queues: readonly string[];
  /** Whether this node may run jobs that are offered to everybody who takes data, now. */
  readonly takesData: () => boolean;
  readonly onProgress: (row: ProgressRow) => void;
  readonly maxDeaths: number;
  readonly graceMs: number;
  /** What a worker may have; `undefined`: what V8 takes by itself. */
  readonly workerMemoryBytes: number | undefined;
  readonly nextRun: () => number;
  readonly activity: Activity;
  /** Whether this node lets captured functions run in the namespace. */
  readonly isArbitraryAllowed: (namespace: string) => boolean;
  /** The node's lease had run out. */
  readonly onLapsed: () => void;
  readonly tally: Tally;
  readonly warn: (message: string) => void;
}

/** Claims as many jobs as the workers can take, gives them out, and says how they ended. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #times = new RunTimes();
  readonly #held = new HeldWork();
  readonly #recall: Recall;
  readonly #lane: AttemptLane;
  readonly #attempts = new Map<JobId, Attempt>();
  /** Attempts that were cancelled before this node knew of them: their claim's reply, or their code, is on its way. */
  readonly #cancelled = new Map<JobId, number>();
  /** Claimed jobs that no worker has yet. */
  #backlog: Attempt[] = [];
  /** Claimed jobs whose code units are on their way: they will want a worker each. */
  readonly #loading = new Set<ClaimedJob>();
  #typicalKey = "";
  #isClaiming = false;
  #claiming: Promise<void> = Promise.resolve();
  /** Nothing is claimed meanwhile, or it would be unknown here and known there. */
  #isComparing = false;
  /** Goes up when all jobs are abandoned: what was claimed before is not this node's any more. */
  #era = 0;
  #hasFailed = false;
  #isWoken = false;
  /** The last claim found less than was wanted, and nobody has said since that there is more. */
  #isDry = false;
  #isPaused = true;
  /** Wakes when the next job becomes visible: its claim tells when the one behind it does. */
  readonly #alarm = new Alarm(() => this.wake());
  #onIdle: () => void = () => {};

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#recall = new Recall(options.pool);
    this.#lane = this.#createLane(options);
  }

  get running(): number {
    return this.#attempts.size;
  }

  /** Those that were given to workers, and those that wait to be. */
  get attempts(): Iterable<Attempt> {
    return this.#attempts.values();
  }

  resume(): void {
    this.#isPaused = false;
    this.wake();
  }

  /** Claims nothing more. */
  pause(): void {
    this.#isPaused = true;
    this.#alarm.clear();
  }

  /** There may be work. */
  wake(): void {
    this.#isDry = false;
    this.freed();
  }

  /** There may be room for work. */
  freed(): void {
    this.#assign();
    if (this.#isDry) return;
    if (this.#isClaiming) {
      this.#isWoken = true;
      return;
    }
    this.#claiming = this.#claim();
  }

  /** The queue has work, or will have in `delayMs`. Queues that this node does not serve are others' business. */
  wakeFor(queue: string, delayMs: number): void {
    const { queues, node } = this.#options;
    const [shared = "", only] = queue.split("|");
    if (!queues.includes(shared) || (only !== undefined && only !== node)) return;
    if (delayMs > 0) this.#wakeIn(delayMs);
    else this.wake();
  }

  cancel(id: JobId, attempt: number): void {
    const found = this.#attempts.get(id);
    if (found === undefined && this.#isFetching) this.#cancelled.set(id, attempt);
    if (found?.job.attempt !== attempt) return;
    this.#backlog = this.#backlog.filter((waiting) => waiting !== found);
    found.cancel(`${found.spec.label} was cancelled`);
  }

  /** Resolves when nothing runs here, or after `graceMs`. */
  async idle(graceMs: number): Promise<void> {
    if (this.#attempts.size === 0 || graceMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Gives back what runs, and kills it. */
  abandonAll(): void {
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const { job } of backlog) {
      this.#attempts.delete(job.id);
      this.#sayQueued(job);
    }
    for (const attempt of this.#attempts.values()) attempt.abandon();
  }

  /**
   * Kills what runs: the store has taken it away, and others run it now or will. Resolves when the workers have ended,
   * or after a while: what is stuck in the kernel must not keep the node away.
   */
  async loseAll(): Promise<void> {
    this.#era += 1;
    const lost = [...this.#attempts.values()];
    for (const attempt of lost) this.#lose(attempt);
    const ended = Promise.all(lost.map((attempt) => attempt.workerEnded()));
    await Promise.race([ended, sleep(KILL_MS, undefined, { ref: false })]);
  }

  /**
   * Compares what runs here with what the store has running here, for either may have missed something when connections
   * broke or another server took over: what only the store knows of goes back, what only this node knows of is stopped.
   * `hasBroken`: also says the last ends again, for the same reason.
   * @throws KitchenError `KS_UNAVAILABLE`
   */
  async compare({ hasBroken }: { readonly hasBroken: boolean }): Promise<void> {
    if (this.#isPaused || this.#isComparing) return;
    this.#isComparing = true;
    try {
      await this.#claiming;
      // A claim that the store has forgotten may have been made once more, under the same number.
      if (hasBroken) await this.#options.writer.repeat((id) => !this.#isHere(id));
      const known = [...this.#attempts.values()];
      const listed = await this.#options.store.runningJobs(this.#options.node);
      for (const job of listed) if (!this.#knows(job)) this.#sayQueued(job);
      const attempts = new Map(listed.map(({ id, attempt }) => [id, attempt]));
      for (const attempt of known) {
        const { id, attempt: number } = attempt.job;
        if (this.#attempts.get(id) === attempt && attempts.get(id) !== number) this.#lose(attempt);
      }
    } finally {
      this.#isComparing = false;
      this.freed();
    }
  }

  #isHere(id: JobId): boolean {
    return this.#attempts.has(id) || [...this.#loading].some((job) => job.id === id);
  }

  #knows({ id, attempt }: RunningJob): boolean {
    if (this.#attempts.get(id)?.job.attempt === attempt) return true;
    if ([...this.#loading].some((job) => job.id === id && job.attempt === attempt)) return true;
    return this.#options.writer.isEnding(id, attempt);
  }

  #wakeIn(delayMs: number): void {
    if (!this.#isPaused) this.#alarm.set(delayMs);
  }

  async #claim(): Promise<void> {
    this.#isClaiming = true;
    try {
      do {
        this.#isWoken = false;
        const count = this.#room();
        if (this.#isPaused || this.#isComparing || count <= 0) break;
        const { node, store, queues, takesData } = this.#options;
        const askedAtMs = performance.now();
        const era = this.#era;
        const reply = await store.claim({ node, queues, count, takesData: takesData() });
        if (reply.type === "lapsed") return this.#options.onLapsed();
        this.#held.recordTrip(performance.now() - askedAtMs);
        this.#hasFailed = false;
        this.#options.tally.claimed(reply.jobs, Date.now());
        for (const job of reply.jobs) this.#accept(job, era);
        this.#assign();
        if (reply.jobs.length === count) this.#isWoken = true;
        else if (!this.#isWoken) this.#isDry = true;
        // The store's clock may be a moment behind: never at once, or the two would go round and round.
        if (reply.nextVisibleMs !== undefined) this.#wakeIn(Math.max(1, reply.nextVisibleMs));
      } while (this.#isWoken);
    } catch (error) {
      if (!this.#hasFailed)
        this.#options.warn(`cannot claim jobs: ${error instanceof Error ? error.message : String(error)}`);
      this.#hasFailed = true;
    } finally {
      this.#isClaiming = false;
      this.#fetched();
    }
  }

  /** How many jobs to claim: what workers may hold, of functions like the one that ran last. */
  #room(): number {
    const expectedMs = this.#times.expectedMs(this.#typicalKey);
    const { workers } = this.#options.pool;
    const free = workers.reduce((sum, { loadMs }) => sum + this.#held.room(loadMs, expectedMs), 0);
    return free - this.#backlog.length - this.#loading.size;
  }

  #accept(job: ClaimedJob, era: number): void {
    if (era !== this.#era) return this.#sayQueued(job);
    try {
      const spec = parseSpec(job.spec);
      if (spec.name === null && !this.#options.isArbitraryAllowed(spec.namespace))
        throw new KitchenError(
          "KS_ARBITRARY_BANNED",
          `Captured functions are banned in the namespace "${spec.namespace}" on ${this.#options.node}`,
        );
      const units = this.#options.units.peek(spec.units);
      if (units !== undefined && spec.after.length === 0)
        this.#enqueue(job, { spec, units, outcomes: NO_OUTCOMES });
      else void this.#load(job, spec);
    } catch (error) {
      this.#fail(job, error);
    }
  }

  /** Gets what the store has to give before a worker can begin. */
  async #load(job: ClaimedJob, spec: JobSpec): Promise<void> {
    this.#loading.add(job);
    const era = this.#era;
    const { units: cache, store } = this.#options;
    try {
      const [units, outcomes] = await Promise.all([
        cache.load(spec.units),
        awaitedOutcomes(store, spec.after),
      ]);
      if (era === this.#era) this.#enqueue(job, { spec, units, outcomes });
      else this.#sayQueued(job);
    } catch (error) {
      this.#fail(job, error);
    } finally {
      this.#loading.delete(job);
      this.#fetched();
      this.#assign();
    }
  }

  #enqueue(job: ClaimedJob, work: Pick<AttemptOptions, "spec" | "units" | "outcomes">): void {
    const { spec } = work;
    const attempt = new Attempt({ run: this.#options.nextRun(), job, ...work }, this.#lane);
    this.#attempts.set(job.id, attempt);
    if (this.#cancelled.get(job.id) === job.attempt) attempt.cancel(`${spec.label} was cancelled`);
    else this.#backlog.push(attempt);
  }

  get #isFetching(): boolean {
    return this.#isClaiming || this.#loading.size > 0;
  }

  #fetched(): void {
    if (!this.#isFetching) this.#cancelled.clear();
  }

  #createLane(options: DispatcherOptions): AttemptLane {
    const { node: nodeName, graceMs, workerMemoryBytes: memoryBytes, streams, writer, activity } = options;
    return {
      nodeName,
      graceMs,
      memoryBytes,
      streams,
      onOutput: (of, stream, bytes) => {
        const { id, attempt } = of.job;
        if (this.#attempts.get(id) !== of) return undefined;
        return writer.output(id, { attempt, index: of.nextPiece(), stream, bytes, atMs: Date.now() });
      },
      onStreaming: (of) => {
        const { id, attempt } = of.job;
        if (this.#attempts.get(id) === of) writer.streaming({ id, attempt });
      },
      onProgress: (of, progress) => {
        const { id, attempt } = of.job;
        if (this.#attempts.get(id) === of) options.onProgress({ id, attempt, progress });
      },
      onBegin: (atMs) => activity.begun("queue", atMs),
      onEnd: (attempt, end, ranMs) => this.#ended(attempt, end, ranMs),
    };
  }

  #ended(ended: Attempt, end: AttemptEnd, ranMs: number): void {
    const { writer, tally, maxDeaths, activity } = this.#options;
    const { job, spec, key, hasStreamed } = ended;
    // Nobody wants to know of one that was taken away.
    if (this.#attempts.get(job.id) !== ended) {
      activity.ended("queue", ended, "queued", ranMs);
      return this.#assign();
    }
    this.#attempts.delete(job.id);
    if (end.type === "returned" || end.type === "threw") {
      this.#typicalKey = key;
      this.#times.record(key, ranMs);
    }
    const { id, attempt, deaths, throws } = job;
    const { retries, retryDelayMs, isIdempotent } = spec;
    const counts = { deaths, throws, retries, retryDelayMs, maxDeaths, isIdempotent, hasStreamed };
    const step = decideNext(end, counts);
    tally.jobEnded(step, ranMs);
    writer.finish({ id, attempt, ...step });
    if (end.type !== "not-begun") activity.ended("queue", ended, step.next, ranMs);
    if (this.#attempts.size === 0) this.#onIdle();
    this.#assign();
  }

  /** Gives waiting jobs to workers: the least laden first, and several to one only where they are short. */
  #assign(): void {
    for (let [first] = this.#backlog; first !== undefined; [first] = this.#backlog) {
      const worker = leastLaden(this.#options.pool.workers);
      const expectedMs = first.expectedMs(this.#times);
      if (worker === undefined || this.#held.room(worker.loadMs, expectedMs) === 0) return;
      this.#backlog.shift();
      if (worker.loadMs > 0) this.#recall.watch();
      first.start(worker, expectedMs);
    }
  }

  #lose(attempt: Attempt): void {
    this.#attempts.delete(attempt.job.id);
    this.#backlog = this.#backlog.filter((waiting) => waiting !== attempt);
    attempt.abandon();
    if (this.#attempts.size === 0) this.#onIdle();
  }

  #sayQueued({ id, attempt, deaths, throws }: RunningJob): void {
    this.#options.writer.finish({ id, attempt, next: "queued", deaths, throws });
  }

  #fail({ id, attempt }: ClaimedJob, error: unknown): void {
    const code = error instanceof KitchenError ? error.code : "KS_INTERNAL";
    const message = error instanceof Error ? error.message : String(error);
    this.#options.tally.jobEnded({ next: "failed" }, 0);
    this.#options.writer.finish({ id, attempt, next: "failed", outcome: errorOutcome(code, message) });
    this.#options.activity.endedUnbegun([{ id }], "failed");
  }
}

/** The worker that will be free first. */
export function leastLaden(workers: readonly WorkerProcess[]): WorkerProcess | undefined {
  return workers.reduce<WorkerProcess | undefined>(
    (best, worker) => (best === undefined || worker.loadMs < best.loadMs ? worker : best),
    undefined,
  );
}
