import type { JobId } from "../core/ids.ts";
import type { FinalState } from "../core/job-states.ts";
import type { OutputEvent } from "../core/messages.ts";
import type { Progress } from "../core/progress.ts";
import { Eventually } from "./eventually.ts";
import type { ItemReader } from "./item-reader.ts";
import type { JobOutput } from "./output.ts";

/** How much output may wait for pieces that came before it. */
const MOST_EARLY_BYTES = 32 * 1024 * 1024;

/** How waiting for a job ended: with what the job came to, or because it cannot be known. */
export type Settled =
  | { readonly type: "outcome"; readonly state: FinalState; readonly outcome: Uint8Array }
  /** It has not ended: its result is a generator, whose items can be read. */
  | { readonly type: "streaming"; readonly attempt: number }
  | { readonly type: "failed"; readonly error: Error };

export type End = Exclude<Settled, { readonly type: "streaming" }>;

/** How a job is connected to its node. */
export interface Line {
  /** Its end is waited for, so that the process has to live; or it is not. */
  hold(job: TrackedJob, isWanted: boolean): void;
  cancel(job: TrackedJob, reason: string): Promise<void>;
  /** Nobody waits for it here any more. Resolves when the node has it. */
  release(job: TrackedJob): Promise<void>;
  /** Reads the items of the job's streamed result; attempt 0: of whichever had some. */
  reader(job: TrackedJob, attempt: number): ItemReader;
}

/** A job that this client waits for: puts its output in order, and settles once. There may be very many of them. */
export class TrackedJob {
  readonly id: JobId;
  readonly line: Line;
  /** How many pieces of output have come: where to go on after a lost connection. */
  received = 0;
  /** Whether the node has it, so that it makes sense to ask for it. */
  isSubmitted = false;
  /** Whether this client let go of it: who wants to know what becomes of it has to watch it anew. */
  isReleased = false;
  readonly #output: JobOutput;
  readonly #settled = new Eventually<Settled>();
  /** Of the usual job these two are never asked for. */
  #ended: Eventually<End> | undefined;
  #submitted: Eventually<true> | undefined;
  #isDecided = false;
  #last: End | undefined;
  #streaming: number | undefined;
  #isEndAwaited = false;
  #attempt = 1;
  #nextIndex = 0;
  /** Pieces that came before their turn. */
  #early: OutputEvent[] | undefined;
  #earlyBytes = 0;

  constructor(id: JobId, output: JobOutput, line: Line) {
    this.id = id;
    this.#output = output;
    this.line = line;
  }

  get settled(): Promise<Settled> {
    return this.#settled.promise;
  }

  /**
   * Settles when the job has ended; later than {@link settled} when its result is a stream of items. Is for who looks on:
   * the process does not live for it.
   */
  get ended(): Promise<End> {
    return (this.#ended ??= new Eventually(this.#last)).promise;
  }

  /** Waits until the job has {@link ended}. */
  untilEnded(): Promise<End> {
    this.#isEndAwaited = true;
    this.line.hold(this, true);
    return this.ended;
  }

  /** Resolves when the node has it, or when it is clear that it never will. */
  get submitted(): Promise<unknown> {
    return (this.#submitted ??= new Eventually<true>(this.#isDecided || undefined)).promise;
  }

  markSubmitted(): void {
    this.isSubmitted = true;
    this.#decideSubmit();
  }

  /** Takes a piece: prints it once, in its turn, however often and in whatever order pieces come. */
  takeOutput(event: OutputEvent): void {
    if (event.attempt < this.#attempt || (event.attempt === this.#attempt && event.index < this.#nextIndex))
      return;
    if (event.attempt > this.#attempt && event.index === 0) this.#startAttempt(event.attempt);
    if (event.attempt !== this.#attempt || event.index > this.#nextIndex) return this.#keepEarly(event);
    this.#print(event);
    this.#printWaiting();
  }

  /** Says something about the job where its output goes, on stderr. */
  tell(text: string): void {
    this.#output.write("stderr", Buffer.from(`kitchensink: ${text}\n`), Date.now());
  }

  /** Takes what is said of how far it is; of an attempt that is over nothing counts. */
  takeProgress(attempt: number, progress: Progress): void {
    if (attempt >= this.#attempt) this.#output.progress(progress);
  }

  #keepEarly(event: OutputEvent): void {
    (this.#early ??= []).push(event);
    this.#earlyBytes += event.bytes.length;
    // What is missing was cut from the log, and will not come.
    if (this.#earlyBytes > MOST_EARLY_BYTES) this.#printEarly();
  }

  #printEarly(): void {
    for (const event of this.#sortedEarly()) {
      if (event.attempt > this.#attempt) this.#startAttempt(event.attempt);
      this.#print(event);
    }
    this.#early = undefined;
    this.#earlyBytes = 0;
  }

  /** Its result is a stream of items. Gives the attempt that had streamed before, if another one did. */
  stream(attempt: number): number | undefined {
    const before = this.#streaming;
    this.#streaming = attempt;
    this.#settled.set({ type: "streaming", attempt });
    if (!this.#isEndAwaited) this.line.hold(this, false);
    return before === attempt ? undefined : before;
  }

  finish(state: FinalState, outcome: Uint8Array): void {
    // Pieces whose predecessors were cut from the log will not get their turn otherwise.
    this.#printEarly();
    this.#end({ type: "outcome", state, outcome });
  }

  /** What it ended with; undefined while it goes on. */
  get end(): End | undefined {
    return this.#last;
  }

  fail(error: Error): void {
    this.#decideSubmit();
    this.#end({ type: "failed", error });
  }

  #decideSubmit(): void {
    this.#isDecided = true;
    this.#submitted?.set(true);
  }

  #end(end: End): void {
    this.#output.end();
    this.#settled.set(end);
    this.#last ??= end;
    this.#ended?.set(end);
  }

  #startAttempt(attempt: number): void {
    this.#attempt = attempt;
    this.#nextIndex = 0;
  }

  #print(event: OutputEvent): void {
    this.received += 1;
    this.#nextIndex = event.index + 1;
    this.#output.write(event.stream, event.bytes, event.atMs);
  }

  #printWaiting(): void {
    if (this.#early === undefined) return;
    const waiting = this.#sortedEarly();
    this.#early = undefined;
    this.#earlyBytes = 0;
    for (const event of waiting) this.takeOutput(event);
  }

  #sortedEarly(): OutputEvent[] {
    return (this.#early ?? []).toSorted((a, b) => a.attempt - b.attempt || a.index - b.index);
  }
}
