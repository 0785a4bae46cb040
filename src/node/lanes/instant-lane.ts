import { type AttemptEnd, stateAfter } from "../../core/attempt.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId, NodeName, UnitHash } from "../../core/ids.ts";
import type { FunctionInfo, JobSpec } from "../../core/messages.ts";
import type { Progress } from "../../core/progress.ts";
import { HeldWork, RunTimes } from "../../core/prefetch.ts";
import type { Pool } from "../../worker/pool.ts";
import type { StreamName } from "../../worker/run-list.ts";
import type { WorkerProcess } from "../../worker/worker-process.ts";
import type { Activity } from "../activity/activity.ts";
import { Attempt, type AttemptLane } from "../jobs/attempt.ts";
import { leastLaden } from "../jobs/dispatcher.ts";
import { Recall } from "../jobs/recall.ts";
import type { Streams } from "../streams/streams.ts";

/** How many instant calls may wait for a worker. */
const MOST_WAITING = 10_000;
/** Generators keep their workers until their readers are done, and a reader may be who calls. */
const STREAMS_WAIT_MS = 5_000;
/** A lane whose worker cannot start must not keep callers for ever. */
const WORKER_WAIT_MS = 10_000;

export interface InstantCall {
  readonly id: JobId;
  readonly spec: JobSpec;
  readonly specBytes: Uint8Array;
  readonly units: ReadonlyMap<UnitHash, Uint8Array>;
  /** Until what it gives resolves, the worker's output should not be read on. */
  readonly onOutput: (stream: StreamName, bytes: Uint8Array) => Promise<void> | undefined;
  readonly onStreaming: () => void;
  readonly onProgress: (progress: Progress) => void;
  readonly onEnd: (end: AttemptEnd) => void;
}

export interface InstantLaneOptions {
  readonly pool: Pool;
  readonly node: NodeName;
  readonly graceMs: number;
  /** What a worker may have; `undefined`: what V8 takes by itself. */
  readonly workerMemoryBytes: number | undefined;
  readonly nextRun: () => number;
  readonly activity: Activity;
  readonly streams: Streams;
}

/** Calls that skip the queue: they run on workers kept for them, first come, first served, and are not stored. */
export class InstantLane {
  readonly #node: NodeName;
  readonly #pool: Pool;
  readonly #nextRun: () => number;
  readonly #activity: Activity;
  readonly #lane: AttemptLane;
  readonly #times = new RunTimes();
  readonly #held = new HeldWork();
  readonly #recall: Recall;
  /** The attempts that wait or run, each of a call. */
  readonly #calls = new Map<Attempt, InstantCall>();
  #waiting: Attempt[] = [];
  /** Of calls that may not wait for ever. */
  readonly #patience = new Map<InstantCall, NodeJS.Timeout>();
  /** Runs while calls wait and generators keep every worker. */
  #blocked: NodeJS.Timeout | undefined;
  #onIdle: () => void = () => {};
  #isClosed = false;
  readonly #wanting = new Set<(worker: WorkerProcess) => void>();

  constructor(options: InstantLaneOptions) {
    this.#node = options.node;
    this.#pool = options.pool;
    this.#nextRun = options.nextRun;
    this.#activity = options.activity;
    this.#recall = new Recall(options.pool);
    this.#lane = this.#createLane(options);
  }

  /**
   * Runs a call once; gives a way to cancel it.
   * @throws KitchenError `KS_BUSY` when too many wait, `KS_UNAVAILABLE` when the node is leaving
   */
  run(call: InstantCall): { cancel(reason: string): void } {
    if (this.#isClosed) throw new KitchenError("KS_UNAVAILABLE", this.#leaving);
    if (this.#waiting.length >= MOST_WAITING)
      throw new KitchenError(
        "KS_BUSY",
        `Cannot take the call: ${MOST_WAITING} instant calls wait already; use the queue (async: true)`,
      );
    this.#waiting.push(this.#attemptOf(call));
    if (call.spec.ttlMs > 0) this.#patience.set(call, this.#giveUpLater(call));
    this.assign();
    return { cancel: (reason) => this.#cancel(call, reason) };
  }

  #giveUpLater(call: InstantCall): NodeJS.Timeout {
    const { label, ttlMs } = call.spec;
    const giveUp = (): void => {
      const attempt = this.#waiting.find((waiting) => this.#calls.get(waiting) === call);
      if (attempt === undefined) return;
      this.#waiting = this.#waiting.filter((waiting) => waiting !== attempt);
      attempt.refuse(
        "KS_TIMEOUT",
        `Cannot run ${label}: it waited longer than its ttlMs of ${ttlMs} ms for a worker, and was never begun (use the queue, start the node with more --instant-workers, or give it more with ttlMs)`,
      );
    };
    return setTimeout(giveUp, ttlMs).unref();
  }

  #cancel(call: InstantCall, reason: string): void {
    const [attempt] = [...this.#calls].find(([, of]) => of === call) ?? [];
    this.#waiting = this.#waiting.filter((waiting) => waiting !== attempt);
    attempt?.cancel(reason);
  }

  /** Those that wait or run. */
  get attempts(): Iterable<Attempt> {
    return this.#calls.keys();
  }

  /** Resolves when no call waits or runs here, or after `graceMs`. */
  async idle(graceMs: number): Promise<void> {
    if (this.#calls.size === 0 || graceMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends what waits and what runs, and takes nothing more: the node is leaving. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    for (const attempt of this.#calls.keys()) attempt.refuse("KS_UNAVAILABLE", this.#leaving);
  }

  get #leaving(): string {
    return `Cannot run the call: the node ${this.#node} is leaving (call another one)`;
  }

  /** There may be room in a worker. */
  assign(): void {
    this.#giveOut();
    const { workers } = this.#pool;
    const isBlocked = this.#waiting.length > 0 && workers.length > 0 && workers.every(isKept);
    if (isBlocked) this.#blocked ??= setTimeout(() => this.#refuseWaiting(), STREAMS_WAIT_MS).unref();
    else {
      clearTimeout(this.#blocked);
      this.#blocked = undefined;
    }
  }

  #refuseWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#blocked = undefined;
    for (const attempt of waiting)
      attempt.refuse(
        "KS_BUSY",
        "No worker for the call: generators that are being read keep all of those for instant calls (use the queue, or start the node with more --instant-workers)",
      );
  }

  #giveOut(): void {
    const { workers } = this.#pool;
    const [any] = workers;
    if (any !== undefined) {
      for (const take of this.#wanting) take(any);
      this.#wanting.clear();
    }
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const worker = leastLaden(workers);
      const expectedMs = next.expectedMs(this.#times);
      if (worker === undefined || this.#held.room(worker.loadMs, expectedMs) === 0) return;
      this.#waiting.shift();
      if (worker.loadMs > 0) this.#recall.watch();
      next.start(worker, expectedMs);
    }
  }

  /** Lists a namespace's functions, as a worker sees them; `null` when there is no such namespace. */
  async describe(namespace: string): Promise<readonly FunctionInfo[] | null> {
    const worker = await this.#anyWorker();
    return await worker.describe(namespace);
  }

  /** The types of these namespaces' functions, as a worker sees them. @throws KitchenError `KS_UNAVAILABLE` */
  async declare(namespaces: readonly string[]): Promise<string> {
    const worker = await this.#anyWorker();
    const declarations = await worker.declare(namespaces);
    if (declarations !== null) return declarations;
    throw new KitchenError(
      "KS_UNAVAILABLE",
      "Cannot tell the types: see the node's log for what its worker says",
    );
  }

  #attemptOf(call: InstantCall): Attempt {
    const { id, spec, specBytes, units } = call;
    const job = { id, attempt: 1, deaths: 0, throws: 0, queue: "", spec: specBytes };
    const attempt = new Attempt({ run: this.#nextRun(), job, spec, units, outcomes: [] }, this.#lane);
    this.#calls.set(attempt, call);
    return attempt;
  }

  #createLane(options: InstantLaneOptions): AttemptLane {
    const { node: nodeName, graceMs, workerMemoryBytes: memoryBytes, streams, activity } = options;
    return {
      nodeName,
      graceMs,
      memoryBytes,
      streams,
      onOutput: (attempt, stream, bytes) => this.#calls.get(attempt)?.onOutput(stream, bytes),
      onStreaming: (attempt) => {
        this.#calls.get(attempt)?.onStreaming();
        this.assign();
      },
      onProgress: (attempt, progress) => this.#calls.get(attempt)?.onProgress(progress),
      onBegin: (atMs) => activity.begun("instant", atMs),
      onEnd: (attempt, end, ranMs) => this.#ended(attempt, end, ranMs),
    };
  }

  #ended(attempt: Attempt, end: AttemptEnd, ranMs: number): void {
    const call = this.#calls.get(attempt);
    if (call === undefined) return;
    this.#calls.delete(attempt);
    if (end.type === "returned" || end.type === "threw") this.#times.record(attempt.key, ranMs);
    // The worker died under another call: this one has not begun, so it takes the next worker.
    if (end.type === "not-begun") this.#waiting.unshift(this.#attemptOf(call));
    else {
      clearTimeout(this.#patience.get(call));
      this.#patience.delete(call);
      this.#activity.ended("instant", attempt, stateAfter(end), ranMs);
      call.onEnd(end);
    }
    this.assign();
    if (this.#calls.size === 0) this.#onIdle();
  }

  async #anyWorker(): Promise<WorkerProcess> {
    const worker = leastLaden(this.#pool.workers);
    if (worker !== undefined) return worker;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wanting.delete(take);
        reject(
          new KitchenError(
            "KS_UNAVAILABLE",
            "No worker of the instant lane could be started: see the node's log",
          ),
        );
      }, WORKER_WAIT_MS);
      const take = (ready: WorkerProcess): void => {
        clearTimeout(timer);
        resolve(ready);
      };
      this.#wanting.add(take);
    });
  }
}

/** By a generator whose items are read. */
function isKept({ isStreaming }: WorkerProcess): boolean {
  return isStreaming;
}
