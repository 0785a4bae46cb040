import type { JobId } from "../../core/ids.ts";
import type { FinalState } from "../../core/job-states.ts";
import type { OutputEvent } from "../../core/messages.ts";
import type { Progress } from "../../core/progress.ts";
import { Eventually } from "./eventually.ts";
import type { ItemReader } from "./item-reader.ts";
import type { JobOutput } from "../output/output.ts";
import { OutputOrder } from "../output/output-order.ts";

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
  /** Whether the node has it, so that it makes sense to ask for it. */
  isSubmitted = false;
  /** Whether this client submitted it: Ctrl-C leaves alone what it only looks at. */
  isOwn = true;
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
  /** Of a job that prints. */
  #order: OutputOrder | undefined;

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

  /** How many pieces of output have come: where to go on after a lost connection. */
  get received(): number {
    return this.#order?.received ?? 0;
  }

  /** Takes a piece of output, which may have come before, or before its turn. */
  takeOutput(event: OutputEvent): void {
    (this.#order ??= new OutputOrder(this.#output)).take(event);
  }

  /** Says something about the job where its output goes, on stderr. */
  tell(text: string): void {
    this.#output.write("stderr", Buffer.from(`kitchensink: ${text}\n`), Date.now());
  }

  /** Takes what is said of how far it is; of an attempt that is over nothing counts. */
  takeProgress(attempt: number, progress: Progress): void {
    if (attempt >= (this.#order?.attempt ?? 1)) this.#output.progress(progress);
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
    this.#order?.end();
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
}
