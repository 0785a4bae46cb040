import type { JobId } from "../core/ids.ts";
import type { RunResult } from "../core/messages.ts";

/** How a worker process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type StreamName = "stdout" | "stderr";

/** One run as the worker is told of it. */
export interface StartRun {
  /** Counts runs on this node: what the worker and the node call this attempt between them. */
  readonly run: number;
  readonly jobId: JobId;
  readonly attempt: number;
  readonly spec: Uint8Array;
}

/** What the node does when something happens to a run. Exactly one of the last three is called, once, at the end. */
export interface RunHandlers {
  /** The run is the worker's next: its time counts from here. */
  readonly onBegin: () => void;
  readonly onOutput: (stream: StreamName, bytes: Uint8Array) => void;
  /** Its result is a generator; items follow. */
  readonly onStreaming: () => void;
  readonly onItem: (bytes: Uint8Array) => void;
  readonly onFinished: (result: RunResult) => void;
  /** It was cancelled before it began. */
  readonly onSkipped: () => void;
  /** The worker died; `wasRunning` tells whether under this run, or while it waited its turn. */
  readonly onLost: (exit: Exit, wasRunning: boolean, lastOutput: string) => void;
}

interface Entry {
  readonly run: number;
  readonly handlers: RunHandlers;
  /** Streams whose marker has not been seen. */
  readonly open: Set<StreamName>;
  result: RunResult | undefined;
  isStreaming: boolean;
  lastOutput: Buffer;
}

/** How much of a run's last output goes into the report when its worker dies. */
const LAST_OUTPUT_BYTES = 4 * 1024;

/**
 * The runs that a worker holds, oldest first. A run ends when its result has come over the channel and its output has
 * ended on both pipes, so that a line that was printed before the end is always ahead of the result.
 */
export class RunList {
  readonly #onStrayOutput: (text: string) => void;
  readonly #entries: Entry[] = [];
  #onEmpty: (() => void) | undefined;

  constructor(onStrayOutput: (text: string) => void) {
    this.#onStrayOutput = onStrayOutput;
  }

  /** How many runs have not ended; a stream has no end that anybody could foresee. */
  get load(): number {
    return this.#entries.some(({ isStreaming }) => isStreaming) ? Infinity : this.#entries.length;
  }

  /** Calls back when no run is left; at once when there is none. */
  onceEmpty(callback: () => void): void {
    this.#onEmpty = callback;
    this.#tellEmpty();
  }

  add(run: number, handlers: RunHandlers): void {
    this.#entries.push({
      run,
      handlers,
      open: new Set(["stdout", "stderr"]),
      result: undefined,
      isStreaming: false,
      lastOutput: Buffer.alloc(0),
    });
    if (this.#entries.length === 1) handlers.onBegin();
  }

  output(stream: StreamName, bytes: Uint8Array): void {
    const entry = this.#writer(stream);
    if (entry === undefined) return this.#onStrayOutput(Buffer.from(bytes).toString());
    entry.lastOutput = Buffer.concat([entry.lastOutput, bytes]).subarray(-LAST_OUTPUT_BYTES);
    entry.handlers.onOutput(stream, bytes);
  }

  outputEnded(stream: StreamName): void {
    const entry = this.#writer(stream);
    entry?.open.delete(stream);
    this.#settle();
  }

  /** Gives the runs that wait behind it: its reader may take for ever, or wait for one of them. */
  streaming(run: number): readonly number[] {
    const entry = this.#entry(run);
    if (entry === undefined) return [];
    entry.isStreaming = true;
    entry.handlers.onStreaming();
    return this.#entries.slice(this.#entries.indexOf(entry) + 1).map((behind) => behind.run);
  }

  item(run: number, bytes: Uint8Array): void {
    this.#entry(run)?.handlers.onItem(bytes);
  }

  finished(run: number, result: RunResult): void {
    const entry = this.#entry(run);
    if (entry === undefined) return;
    entry.result = result;
    this.#settle();
  }

  skipped(run: number): void {
    const at = this.#entries.findIndex((candidate) => candidate.run === run);
    const [entry] = at < 0 ? [] : this.#entries.splice(at, 1);
    entry?.handlers.onSkipped();
    this.#tellEmpty();
  }

  /** The worker died: a run whose result had come is finished all the same, the others are lost. */
  lost(exit: Exit): void {
    const [running, ...rest] = this.#entries.splice(0).filter((entry) => {
      if (entry.result !== undefined) entry.handlers.onFinished(entry.result);
      return entry.result === undefined;
    });
    running?.handlers.onLost(exit, true, running.lastOutput.toString());
    for (const entry of rest) entry.handlers.onLost(exit, false, "");
  }

  #entry(run: number): Entry | undefined {
    return this.#entries.find((candidate) => candidate.run === run);
  }

  /** The run that `stream` belongs to now: the oldest whose marker has not come. */
  #writer(stream: StreamName): Entry | undefined {
    return this.#entries.find((entry) => entry.open.has(stream));
  }

  #settle(): void {
    for (
      let first = this.#entries[0];
      first?.result !== undefined && first.open.size === 0;
      first = this.#entries[0]
    ) {
      this.#entries.shift();
      first.handlers.onFinished(first.result);
      this.#entries[0]?.handlers.onBegin();
    }
    this.#tellEmpty();
  }

  #tellEmpty(): void {
    if (this.#entries.length === 0) this.#onEmpty?.();
  }
}
