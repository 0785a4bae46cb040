import { setTimeout as sleep } from "node:timers/promises";
import { decideNext, type AttemptEnd } from "../../core/attempt.ts";
import { KitchenError, messageOf } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import { HeldWork, RunTimes } from "../../core/prefetch.ts";
import type { ClaimedJob, ProgressRow, RunningJob } from "../../store/port.ts";
import type { Pool } from "../../worker/pool.ts";
import type { WorkerProcess } from "../../worker/worker-process.ts";
import type { Activity } from "../activity/activity.ts";
import { Attempt, type AttemptLane } from "./attempt.ts";
import { Claims, type ClaimsOptions, type ReadyJob } from "./claims.ts";
import { errorOutcome } from "./outcomes.ts";
import { Recall } from "./recall.ts";
import type { StoreWriter } from "./store-writer.ts";
import type { Streams } from "../streams/streams.ts";

/** How long the ends of killed workers are waited for. */
const KILL_MS = 2_000;

/** Made by the dispatcher itself. */
type MadeHere = "room" | "onClaimed" | "onReady" | "onGivenBack" | "onFailed";

export interface DispatcherOptions extends Omit<ClaimsOptions, MadeHere> {
  readonly pool: Pool;
  readonly writer: StoreWriter;
  readonly streams: Streams;
  readonly onProgress: (row: ProgressRow) => void;
  readonly maxDeaths: number;
  readonly graceMs: number;
  /** What a worker may have; `undefined`: what V8 takes by itself. */
  readonly workerMemoryBytes: number | undefined;
  readonly nextRun: () => number;
  readonly activity: Activity;
}

/** Gives claimed jobs to workers, and says how they ended. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #times = new RunTimes();
  readonly #held = new HeldWork();
  readonly #recall: Recall;
  readonly #lane: AttemptLane;
  readonly #attempts = new Map<JobId, Attempt>();
  /** Jobs that are ready, and that no worker has yet. */
  #backlog: Attempt[] = [];
  readonly #claims: Claims;
  #typicalKey = "";
  #isComparing = false;
  #onIdle: () => void = () => {};

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#recall = new Recall(options.pool);
    this.#lane = this.#createLane(options);
    this.#claims = this.#createClaims(options);
  }

  get running(): number {
    return this.#attempts.size;
  }

  /** Those that were given to workers, and those that wait to be. */
  get attempts(): Iterable<Attempt> {
    return this.#attempts.values();
  }

  resume(): void {
    this.#claims.resume();
  }

  /** As {@link Claims.pause}. */
  async pause(): Promise<void> {
    await this.#claims.pause();
  }

  /** There may be work. */
  wake(): void {
    this.#assign();
    this.#claims.wake();
  }

  /** There may be room for work. */
  freed(): void {
    this.#assign();
    this.#claims.freed();
  }

  /** The queue has work, or will have in `delayMs`. Queues that this node does not serve are others' business. */
  wakeFor(queue: string, delayMs: number): void {
    const { queues, node } = this.#options;
    const [shared = "", only] = queue.split("|");
    if (!queues.includes(shared) || (only !== undefined && only !== node)) return;
    if (delayMs > 0) this.#claims.wakeIn(delayMs);
    else this.wake();
  }

  cancel(id: JobId, attempt: number): void {
    const found = this.#attempts.get(id);
    if (found === undefined) this.#claims.cancel(id, attempt);
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
    for (const attempt of this.#backlog) {
      this.#lose(attempt);
      this.#giveBack(attempt.job);
    }
    for (const attempt of this.#attempts.values()) attempt.abandon();
  }

  /**
   * Kills what runs: the store has taken it away, and others run it now or will. Resolves when the workers have ended,
   * or after a while: what is stuck in the kernel must not keep the node away.
   */
  async loseAll(): Promise<void> {
    this.#claims.giveUp();
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
    if (this.#claims.isPaused || this.#isComparing) return;
    this.#isComparing = true;
    try {
      // What is claimed meanwhile would be unknown here and known there.
      await this.#claims.hold();
      // A claim that the store has forgotten may have been made once more, under the same number.
      if (hasBroken) await this.#options.writer.repeat((id) => !this.#isHere(id));
      const known = [...this.#attempts.values()];
      const listed = await this.#options.store.runningJobs(this.#options.node);
      for (const job of listed) if (!this.#knows(job)) this.#giveBack(job);
      const attempts = new Map(listed.map(({ id, attempt }) => [id, attempt]));
      for (const attempt of known) {
        const { id, attempt: number } = attempt.job;
        if (this.#attempts.get(id) === attempt && attempts.get(id) !== number) this.#lose(attempt);
      }
    } finally {
      this.#isComparing = false;
      this.#claims.letGo();
    }
  }

  #isHere(id: JobId): boolean {
    return this.#attempts.has(id) || this.#claims.isLoading(id);
  }

  #knows({ id, attempt }: RunningJob): boolean {
    if (this.#attempts.get(id)?.job.attempt === attempt) return true;
    return this.#claims.isLoading(id, attempt) || this.#options.writer.isEnding(id, attempt);
  }

  #createClaims(options: DispatcherOptions): Claims {
    return new Claims({
      ...options,
      room: () => this.#room(),
      onClaimed: (jobs, tripMs) => {
        this.#held.recordTrip(tripMs);
        options.activity.claimed(jobs, Date.now());
      },
      onReady: (jobs) => {
        for (const job of jobs) this.#enqueue(job);
        this.#assign();
      },
      onGivenBack: (job, delayMs) => this.#giveBack(job, delayMs),
      onFailed: (job, error) => this.#fail(job, error),
    });
  }

  /** How many more jobs workers may hold, of functions like the one that ran last. */
  #room(): number {
    const expectedMs = this.#times.expectedMs(this.#typicalKey);
    const { workers } = this.#options.pool;
    const free = workers.reduce((sum, { loadMs }) => sum + this.#held.room(loadMs, expectedMs), 0);
    return free - this.#backlog.length;
  }

  #enqueue({ isCancelled, ...work }: ReadyJob): void {
    const attempt = new Attempt({ run: this.#options.nextRun(), ...work }, this.#lane);
    this.#attempts.set(work.job.id, attempt);
    if (isCancelled) attempt.cancel(`${work.spec.label} was cancelled`);
    else this.#backlog.push(attempt);
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
    const { writer, maxDeaths, activity } = this.#options;
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

  /** Nobody gets to see it before `delayMs` have passed. */
  #giveBack({ id, attempt, deaths, throws }: RunningJob, delayMs = 0): void {
    this.#options.writer.finish({ id, attempt, next: "queued", deaths, throws, delayMs });
  }

  #fail({ id, attempt }: ClaimedJob, error: unknown): void {
    const code = error instanceof KitchenError ? error.code : "KS_INTERNAL";
    const message = messageOf(error);
    this.#options.writer.finish({ id, attempt, next: "failed", outcome: errorOutcome(code, message) });
    this.#options.activity.refused(id);
  }
}

/** The worker that will be free first. */
export function leastLaden(workers: readonly WorkerProcess[]): WorkerProcess | undefined {
  return workers.reduce<WorkerProcess | undefined>(
    (best, worker) => (best === undefined || worker.loadMs < best.loadMs ? worker : best),
    undefined,
  );
}
