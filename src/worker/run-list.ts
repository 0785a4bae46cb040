import type { JobId } from "../core/ids.ts";
import type { RunResult } from "../core/messages.ts";
import type { Progress } from "../core/progress.ts";
import type { Exit } from "./exit.ts";
import { OutputTail } from "./output-tail.ts";

export type StreamName = "stdout" | "stderr";

/** One run as the worker is told of it. */
export interface StartRun {
  /** Counts runs on this node: what the worker and the node call this attempt between them. */
  readonly run: number;
  readonly jobId: JobId;
  readonly attempt: number;
  readonly spec: Uint8Array;
  /** What the jobs came to that the spec names in `after`. */
  readonly outcomes: readonly Uint8Array[];
}

/** What the node does when something happens to a run. Exactly one of the last three is called, once, at the end. */
export interface RunHandlers {
  /** The run is the worker's next: its time counts from here. */
  onBegin(): void;
  /** Until what it gives resolves, the worker's output should not be read on. */
  onOutput(stream: StreamName, bytes: Uint8Array): Promise<void> | undefined;
  /** Its result is a generator; items follow. */
  onStreaming(): void;
  onItem(bytes: Uint8Array): void;
  onProgress(progress: Progress): void;
  onFinished(result: RunResult): void;
  /** It was cancelled or recalled before it began. */
  onSkipped(): void;
  /** The worker died; `wasRunning` tells whether under this run, or while it waited its turn. */
  onLost(exit: Exit, wasRunning: boolean, lastOutput: string): void;
}

interface Entry {
  readonly run: number;
  readonly handlers: RunHandlers;
  /** How long it is expected to take, in ms. */
  readonly expectedMs: number;
  /** What its end was, as far as it is known. */
  end: RunResult | "skipped" | undefined;
  hasBegun: boolean;
  isStreaming: boolean;
  lastOutput: OutputTail | undefined;
}

/** Runs count from 1. */
const NONE = 0;

/**
 * The runs that a worker holds, oldest first. A run ends when its result has come over the channel and its output has
 * ended on both pipes, so that a line that was printed before the end is always ahead of the result. Nothing orders
 * channel and pipes, so whose output it is must be told by the pipes alone: by the markers, one for each run, in their
 * order. So a run that was skipped has markers too, and is kept until they have come; to everybody else it is gone.
 */
export class RunList {
  readonly #onStrayOutput: (text: string) => void;
  readonly #entries: Entry[] = [];
  /** Of how many of the entries, from the oldest on, a stream's marker has come. */
  readonly #come: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  /** How many of the entries were skipped. */
  #skipped = 0;
  #loadMs = 0;
  #streams = 0;
  #overdue: number | undefined;
  #isLost = false;
  #onEmpty: (() => void) | undefined;

  constructor(onStrayOutput: (text: string) => void) {
    this.#onStrayOutput = onStrayOutput;
  }

  /**
   * How long the runs that have not ended will take, in ms: infinite while one streams, or takes longer than expected, and
   * when the worker has died.
   */
  get loadMs(): number {
    const isEndless = this.#isLost || this.isStreaming || this.running === this.#overdue;
    return isEndless ? Infinity : this.#loadMs;
  }

  /** One of them streams its result: nobody can foresee its end. */
  get isStreaming(): boolean {
    return this.#streams > 0;
  }

  get count(): number {
    return this.#entries.length - this.#skipped;
  }

  /** The one that runs; {@link NONE} when there is none. */
  get running(): number {
    return this.#entries.find(isThere)?.run ?? NONE;
  }

  /** The one that runs takes longer than was expected. Gives the runs that wait behind it. */
  overdue(): readonly number[] {
    const [first, ...behind] = this.#entries.filter(isThere);
    this.#overdue = first?.run;
    return behind.map(({ run }) => run);
  }

  /** Calls back when no run is left; at once when there is none. */
  onceEmpty(callback: () => void): void {
    this.#onEmpty = callback;
    this.#tellEmpty();
  }

  add(run: number, handlers: RunHandlers, expectedMs: number): void {
    this.#entries.push({
      run,
      handlers,
      expectedMs,
      end: undefined,
      hasBegun: false,
      isStreaming: false,
      lastOutput: undefined,
    });
    this.#loadMs += expectedMs;
    this.#beginNext();
  }

  /** As {@link RunHandlers.onOutput}. */
  output(stream: StreamName, bytes: Uint8Array): Promise<void> | undefined {
    const entry = this.#writer(stream);
    if (entry === undefined || !isThere(entry)) {
      this.#onStrayOutput(Buffer.from(bytes).toString());
      return undefined;
    }
    (entry.lastOutput ??= new OutputTail()).push(bytes);
    return entry.handlers.onOutput(stream, bytes);
  }

  outputEnded(stream: StreamName): void {
    if (this.#writer(stream) === undefined) return;
    this.#come[stream] += 1;
    this.#settle();
    this.#beginNext();
  }

  /** Gives the runs that wait behind it: its reader may take for ever, or wait for one of them. */
  streaming(run: number): readonly number[] {
    const entry = this.#entry(run);
    if (entry === undefined || entry.isStreaming) return [];
    entry.isStreaming = true;
    this.#streams += 1;
    entry.handlers.onStreaming();
    const behind = this.#entries.slice(this.#entries.indexOf(entry) + 1).filter(isThere);
    return behind.map((one) => one.run);
  }

  item(run: number, bytes: Uint8Array): void {
    this.#entry(run)?.handlers.onItem(bytes);
  }

  progress(run: number, progress: Progress): void {
    this.#entry(run)?.handlers.onProgress(progress);
  }

  finished(run: number, result: RunResult): void {
    // Runs end in the order in which they were sent.
    const entry = this.#entries[this.#firstOpen()];
    if (entry?.run !== run) return;
    entry.end = result;
    this.#settle();
  }

  skipped(run: number): void {
    const entry = this.#entry(run);
    if (entry === undefined || entry.end !== undefined) return;
    entry.end = "skipped";
    this.#skipped += 1;
    this.#lighten(entry);
    entry.handlers.onSkipped();
    this.#settle();
    // Its turn may have come by now.
    this.#beginNext();
  }

  /**
   * The worker died: a run whose result had come is finished all the same, the others are lost. Results leave the worker
   * later than markers, so a run may have ended without anybody knowing its result: not that one killed the worker, but the next,
   * if there is one. Somebody must have: else such a job would run for ever.
   */
  lost(exit: Exit): void {
    // Whoever is told may have more runs at hand, and would give them to this worker.
    this.#isLost = true;
    const from = this.#ranAtTheEnd(exit);
    const guilty =
      this.#entries.find((entry, at) => at >= from && isOpen(entry)) ?? this.#entries.findLast(isOpen);
    for (const entry of this.#entries.splice(0)) {
      const { end, handlers, lastOutput } = entry;
      if (end === "skipped") continue;
      if (end !== undefined) handlers.onFinished(end);
      else if (entry === guilty) handlers.onLost(exit, true, String(lastOutput ?? ""));
      else handlers.onLost(exit, false, "");
    }
  }

  /** The first that is not known to have ended; when it cut off how its end would be known, whatever else it did. */
  #ranAtTheEnd({ because }: Exit): number {
    const marked = Math.min(this.#come.stdout, this.#come.stderr);
    if (because === "closed-output") return marked;
    return because === "closed-channel" ? this.#firstOpen() : Math.max(marked, this.#firstOpen());
  }

  /** Where the first is whose end is not known. */
  #firstOpen(): number {
    const at = this.#entries.findIndex(isOpen);
    return at < 0 ? this.#entries.length : at;
  }

  #entry(run: number): Entry | undefined {
    return this.#entries.find((entry) => entry.run === run && isThere(entry));
  }

  /** The run that `stream` belongs to now: the oldest whose marker has not come. */
  #writer(stream: StreamName): Entry | undefined {
    return this.#entries[this.#come[stream]];
  }

  #settle(): void {
    const come = this.#come;
    while (come.stdout > 0 && come.stderr > 0) {
      const [first] = this.#entries;
      if (first?.end === undefined) break;
      this.#entries.shift();
      come.stdout -= 1;
      come.stderr -= 1;
      if (first.isStreaming) this.#streams -= 1;
      if (first.end === "skipped") this.#skipped -= 1;
      else {
        this.#lighten(first);
        first.handlers.onFinished(first.end);
      }
    }
    this.#tellEmpty();
  }

  /** The worker is at the first run whose output has not ended: a result may be held back behind a run that blocks. */
  #beginNext(): void {
    const ended = Math.min(this.#come.stdout, this.#come.stderr);
    const next = this.#entries.find((entry, at) => at >= ended && isThere(entry));
    if (next === undefined || next.hasBegun) return;
    next.hasBegun = true;
    next.handlers.onBegin();
  }

  #lighten({ expectedMs }: Entry): void {
    // Sums of fractions drift.
    this.#loadMs = this.count === 0 ? 0 : this.#loadMs - expectedMs;
  }

  #tellEmpty(): void {
    if (this.count === 0) this.#onEmpty?.();
  }
}

/** Whether nobody knows its end. */
function isOpen({ end }: Entry): boolean {
  return end === undefined;
}

/** Whether it was not taken back. */
function isThere({ end }: Entry): boolean {
  return end !== "skipped";
}
