import type { AttemptEnd } from "../../core/attempt.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { UnitHash } from "../../core/ids.ts";
import type { JobSpec, RunResult } from "../../core/messages.ts";
import type { Progress } from "../../core/progress.ts";
import { ALONE_MS, type RunTimes } from "../../core/prefetch.ts";
import type { ClaimedJob } from "../../store/port.ts";
import { isDeliberate, type Exit } from "../../worker/exit.ts";
import type { RunHandlers, StreamName } from "../../worker/run-list.ts";
import type { WorkerProcess } from "../../worker/worker-process.ts";
import { deathNote, deathReport, NOT_AGAIN } from "./death.ts";
import { errorOutcome } from "./outcomes.ts";
import type { StreamedItems } from "../streams/streamed-items.ts";
import type { Streams } from "../streams/streams.ts";

/** What the attempts of a node's lane have in common. */
export interface AttemptLane {
  readonly nodeName: string;
  /** How long a function has to stop after its signal was aborted, before its worker is killed. */
  readonly graceMs: number;
  /** What a worker may have; `undefined`: what V8 takes by itself. */
  readonly memoryBytes: number | undefined;
  readonly streams: Streams;
  /** Until what it gives resolves, the worker's output should not be read on. */
  readonly onOutput: (attempt: Attempt, stream: StreamName, bytes: Uint8Array) => Promise<void> | undefined;
  /** Its result is a stream of items, which can be read now. */
  readonly onStreaming: (attempt: Attempt) => void;
  readonly onProgress: (attempt: Attempt, progress: Progress) => void;
  /** It is its worker's turn now. */
  readonly onBegin: (atMs: number) => void;
  /** Called once. `ranMs` is 0 for what never began. */
  readonly onEnd: (attempt: Attempt, end: AttemptEnd, ranMs: number) => void;
}

/** One attempt of a job, ready to be given to a worker. */
export interface AttemptOptions {
  readonly run: number;
  readonly job: ClaimedJob;
  readonly spec: JobSpec;
  readonly units: ReadonlyMap<UnitHash, Uint8Array>;
  /** What the jobs came to that the spec names in `after`. */
  readonly outcomes: readonly Uint8Array[];
}

/** Follows one attempt on its worker: its deadline, its cancelling, its end. */
export class Attempt implements RunHandlers {
  readonly job: ClaimedJob;
  readonly spec: JobSpec;
  /** By `performance.now()`, as all times here. */
  readonly claimedAtMs: number = performance.now();
  readonly #lane: AttemptLane;
  readonly #run: number;
  readonly #units: ReadonlyMap<UnitHash, Uint8Array>;
  readonly #outcomes: readonly Uint8Array[];
  #worker: WorkerProcess | undefined;
  #begunAtMs: number | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #isAbandoned = false;
  #hasEnded = false;
  #pieces = 0;
  #items: StreamedItems | undefined;
  /** Why the node stops it; then this is its end, however the function takes it. */
  #stop: Extract<AttemptEnd, { type: "stopped" }> | undefined;

  constructor({ run, job, spec, units, outcomes }: AttemptOptions, lane: AttemptLane) {
    this.job = job;
    this.spec = spec;
    this.#run = run;
    this.#units = units;
    this.#outcomes = outcomes;
    this.#lane = lane;
  }

  /** What functions like this one are known by: by their code, or by the name of a registered one. */
  get key(): string {
    return this.spec.units[0] ?? this.spec.label;
  }

  /** `undefined`: its worker's turn has not come. */
  get begunAtMs(): number | undefined {
    return this.#begunAtMs;
  }

  /** The place of the worker that it was given to; 0: it was given to none. */
  get slot(): number {
    return this.#worker?.slot ?? 0;
  }

  get hasStreamed(): boolean {
    return this.#items !== undefined;
  }

  /**
   * How long it will take, in ms. One that must not run twice shares its worker with no other: of several in a worker that
   * is lost, nobody could say which had begun.
   */
  expectedMs(times: RunTimes): number {
    return this.spec.isIdempotent ? times.expectedMs(this.key) : ALONE_MS;
  }

  /** The index of the next piece of output. */
  nextPiece(): number {
    return this.#pieces++;
  }

  /** `expectedMs`: how long it will take. */
  start(worker: WorkerProcess, expectedMs: number): void {
    this.#worker = worker;
    const { id: jobId, attempt, spec } = this.job;
    const start = { run: this.#run, jobId, attempt, spec, outcomes: this.#outcomes };
    worker.run(start, this.#units, this, expectedMs);
  }

  /** Ends the attempt as cancelled: signal, grace, kill. Ends at once when it was not started yet. */
  cancel(reason: string): void {
    this.#stopWith(
      { type: "stopped", state: "cancelled", outcome: errorOutcome("KS_CANCELLED", reason) },
      reason,
    );
  }

  /** Ends an attempt as failed, at once: there will be no worker for it, or no more. */
  refuse(code: ErrorCode, message: string): void {
    this.#stopWith({ type: "stopped", state: "failed", outcome: errorOutcome(code, message) }, message);
    this.#worker?.kill();
  }

  /** Kills the worker and ends the attempt as if it had not begun: the node is leaving, or has lost its lease. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#worker?.kill();
  }

  /** Resolves when the worker that it was given to has ended. */
  async workerEnded(): Promise<void> {
    await this.#worker?.exited;
  }

  onBegin(): void {
    this.#begunAtMs = performance.now();
    this.#lane.onBegin(this.#begunAtMs);
    if (this.#stop !== undefined) this.#startGrace();
    if (this.spec.timeoutMs > 0) this.#startDeadline(this.spec);
  }

  onOutput(stream: StreamName, bytes: Uint8Array): Promise<void> | undefined {
    return this.#lane.onOutput(this, stream, bytes);
  }

  onStreaming(): void {
    const { streams, onStreaming } = this.#lane;
    this.#items = streams.open({
      id: this.job.id,
      attempt: this.job.attempt,
      codec: this.spec.codec,
      read: (from, isOver) => this.#worker?.read(this.#run, from, isOver),
      cancel: (reason) => this.cancel(reason),
    });
    onStreaming(this);
  }

  onItem(bytes: Uint8Array): void {
    if (this.#items?.push(bytes) === false) this.#worker?.kill();
  }

  onProgress(progress: Progress): void {
    this.#lane.onProgress(this, progress);
  }

  onFinished({ outcome, isError, ranMs }: RunResult): void {
    this.#end(isError ? { type: "threw", outcome } : { type: "returned", outcome }, ranMs);
  }

  onSkipped(): void {
    this.#end({ type: "not-begun" });
  }

  onLost(exit: Exit, wasRunning: boolean, lastOutput: string): void {
    // A stream is never begun anew, whoever is to blame.
    const isOver = wasRunning || this.hasStreamed;
    this.#end(isOver ? this.#died(exit, lastOutput) : { type: "not-begun" });
  }

  #startDeadline({ label, timeoutMs }: JobSpec): void {
    const message = `${label} ran longer than its deadline of ${timeoutMs} ms: give it more with timeoutMs, or have it watch the signal of currentJob()`;
    this.#deadline = setTimeout(
      () =>
        this.#stopWith(
          { type: "stopped", state: "failed", outcome: errorOutcome("KS_TIMEOUT", message) },
          message,
        ),
      timeoutMs,
    );
  }

  #stopWith(stop: Extract<AttemptEnd, { type: "stopped" }>, reason: string): void {
    if (this.#stop !== undefined || this.#hasEnded) return;
    this.#stop = stop;
    const worker = this.#worker;
    if (worker === undefined) return this.#end(stop);
    worker.cancel(this.#run, reason);
    if (this.#begunAtMs !== undefined) this.#startGrace();
  }

  /** Only while it is the worker's turn: a kill would otherwise hit the job that runs before it. */
  #startGrace(): void {
    this.#grace = setTimeout(() => this.#worker?.kill(), this.#lane.graceMs);
  }

  #died(exit: Exit, lastOutput: string): AttemptEnd {
    const { attempt, pastDeaths = [] } = this.job;
    const death = {
      exit,
      label: this.spec.label,
      node: this.#lane.nodeName,
      attempt,
      isIdempotent: this.spec.isIdempotent,
      ranMs: this.#ranMs(),
      memoryBytes: this.#lane.memoryBytes,
      lastOutput,
      earlier: pastDeaths,
    };
    return {
      type: "died",
      outcome: errorOutcome("KS_WORKER_LOST", deathReport(death)),
      isDeliberate: isDeliberate(exit),
      note: deathNote(death),
    };
  }

  #ranMs(): number {
    return this.#begunAtMs === undefined ? 0 : performance.now() - this.#begunAtMs;
  }

  #end(end: AttemptEnd, ranMs = this.#ranMs()): void {
    if (this.#deadline !== undefined) clearTimeout(this.#deadline);
    if (this.#grace !== undefined) clearTimeout(this.#grace);
    this.#hasEnded = true;
    this.#items?.complete();
    const isGivenUp = this.#isAbandoned && end.type === "died";
    this.#lane.onEnd(this, isGivenUp ? this.#givenUp() : (this.#stop ?? end), ranMs);
  }

  #givenUp(): AttemptEnd {
    const { label, isIdempotent } = this.spec;
    if (this.#items === undefined && isIdempotent) return { type: "not-begun" };
    const left = `${this.#lane.nodeName} left while`;
    const message =
      this.#items === undefined
        ? `Cannot finish ${label}: ${left} it ran. ${NOT_AGAIN}`
        : `Cannot go on with ${label}: ${left} its items were being read (call it again)`;
    return { type: "died", outcome: errorOutcome("KS_WORKER_LOST", message), isDeliberate: false };
  }
}
