import type { AttemptEnd } from "../core/attempt.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { JobId, UnitHash } from "../core/ids.ts";
import type { JobSpec } from "../core/messages.ts";
import type { Exit, RunHandlers, StreamName } from "../worker/run-list.ts";
import type { WorkerProcess } from "../worker/worker-process.ts";
import { deathReport, errorOutcome, isDeliberate } from "./outcomes.ts";
import type { StreamedItems } from "./streamed-items.ts";
import type { Streams } from "./streams.ts";

/** One attempt of a job, ready to be given to a worker. */
export interface AttemptOptions {
  readonly run: number;
  readonly jobId: JobId;
  readonly attempt: number;
  readonly specBytes: Uint8Array;
  readonly spec: JobSpec;
  readonly units: ReadonlyMap<UnitHash, Uint8Array>;
  readonly nodeName: string;
  /** Deaths before this attempt. */
  readonly deaths: number;
  /** How long a function has to stop after its signal was aborted, before its worker is killed. */
  readonly graceMs: number;
  readonly streams: Streams;
  readonly onOutput: (stream: StreamName, bytes: Uint8Array) => void;
  /** Its result is a stream of items, which can be read now. */
  readonly onStreaming: () => void;
  /** Called once. `ranMs` is 0 for what never began. */
  readonly onEnd: (end: AttemptEnd, ranMs: number) => void;
}

/** Follows one attempt on its worker: its deadline, its cancelling, its end. */
export class Attempt {
  readonly #options: AttemptOptions;
  #worker: WorkerProcess | undefined;
  #begunAtMs: number | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #isAbandoned = false;
  #hasEnded = false;
  #items: StreamedItems | undefined;
  /** Why the node stops it; then this is its end, however the function takes it. */
  #stop: Extract<AttemptEnd, { type: "stopped" }> | undefined;

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  get jobId(): JobId {
    return this.#options.jobId;
  }
  get attempt(): number {
    return this.#options.attempt;
  }
  get spec(): JobSpec {
    return this.#options.spec;
  }

  get hasStreamed(): boolean {
    return this.#items !== undefined;
  }

  start(worker: WorkerProcess): void {
    this.#worker = worker;
    const { run, jobId, attempt, specBytes: spec, units } = this.#options;
    worker.run({ run, jobId, attempt, spec }, units, this.#handlers());
  }

  /** Ends the attempt as cancelled: signal, grace, kill. Ends at once when it was not started yet. */
  cancel(reason: string): void {
    this.#stopWith(
      { type: "stopped", state: "cancelled", outcome: errorOutcome("KS_CANCELLED", reason) },
      reason,
    );
  }

  /** Ends an attempt that was not started: there will be no worker for it. */
  refuse(code: ErrorCode, message: string): void {
    this.#stopWith({ type: "stopped", state: "failed", outcome: errorOutcome(code, message) }, message);
  }

  /** Kills the worker and ends the attempt as if it had not begun: the node is leaving, or has lost its lease. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#worker?.kill();
  }

  #handlers(): RunHandlers {
    const { onOutput } = this.#options;
    return {
      onBegin: () => this.#begin(),
      onOutput,
      onStreaming: () => this.#stream(),
      onItem: (bytes) => this.#items?.push(bytes),
      onFinished: ({ outcome, isError, ranMs }) =>
        this.#end(isError ? { type: "threw", outcome } : { type: "returned", outcome }, ranMs),
      onSkipped: () => this.#end({ type: "not-begun" }),
      onLost: (exit, wasRunning, lastOutput) =>
        this.#end(wasRunning ? this.#died(exit, lastOutput) : { type: "not-begun" }),
    };
  }

  #stream(): void {
    const { streams, jobId: id, attempt, run, spec, onStreaming } = this.#options;
    this.#items = streams.open({
      id,
      attempt,
      codec: spec.codec,
      read: (from, isOver) => this.#worker?.read(run, from, isOver),
      cancel: (reason) => this.cancel(reason),
    });
    onStreaming();
  }

  #begin(): void {
    this.#begunAtMs = performance.now();
    if (this.#stop !== undefined) this.#startGrace();
    const { timeoutMs, label } = this.#options.spec;
    if (timeoutMs === 0) return;
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
    worker.cancel(this.#options.run, reason);
    if (this.#begunAtMs !== undefined) this.#startGrace();
  }

  /** Only while it is the worker's turn: a kill would otherwise hit the job that runs before it. */
  #startGrace(): void {
    this.#grace = setTimeout(() => this.#worker?.kill(), this.#options.graceMs);
  }

  #died(exit: Exit, lastOutput: string): AttemptEnd {
    const { nodeName, deaths, spec } = this.#options;
    const ranMs = this.#ranMs();
    const message = deathReport({
      exit,
      label: spec.label,
      node: nodeName,
      ranMs,
      deaths: deaths + 1,
      lastOutput,
    });
    return {
      type: "died",
      outcome: errorOutcome("KS_WORKER_LOST", message),
      isDeliberate: isDeliberate(exit),
    };
  }

  #ranMs(): number {
    return this.#begunAtMs === undefined ? 0 : performance.now() - this.#begunAtMs;
  }

  #end(end: AttemptEnd, ranMs = this.#ranMs()): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#grace);
    this.#hasEnded = true;
    this.#items?.complete();
    const isGivenUp = this.#isAbandoned && end.type === "died";
    this.#options.onEnd(isGivenUp ? this.#givenUp() : (this.#stop ?? end), ranMs);
  }

  #givenUp(): AttemptEnd {
    if (this.#items === undefined) return { type: "not-begun" };
    const { spec, nodeName } = this.#options;
    const message = `Cannot go on with ${spec.label}: ${nodeName} left while its items were being read (call it again)`;
    return { type: "died", outcome: errorOutcome("KS_WORKER_LOST", message), isDeliberate: false };
  }
}
