import type { OutputEvent } from "../../core/messages.ts";
import type { JobOutput } from "./output.ts";

/** How much output may wait for pieces that came before it. */
const MOST_EARLY_BYTES = 32 * 1024 * 1024;
const MISSING = missing("output is missing here");
const PERHAPS_MISSING = missing("output may be missing here");

/**
 * Puts a job's output in order: writes each piece once and in its turn, however often and in whatever order pieces come.
 * Those from the log and those that are printed meanwhile come side by side.
 */
export class OutputOrder {
  readonly #output: Pick<JobOutput, "write">;
  /** How many pieces were written: where the log is to be read on after a lost connection. */
  received = 0;
  attempt = 1;
  #nextIndex = 0;
  /** Pieces that came before their turn. */
  #early: OutputEvent[] = [];
  #earlyBytes = 0;
  /** What has not come by now of what was printed before will not come: the log does not have it. */
  #isLogCut = false;
  /** Whether what was written last says that output is missing behind it. */
  #isGapSaid = false;
  /** Whether the node was asked for what was missed, and has kept nothing of it: the next piece tells if there was any. */
  #mayMiss = false;

  constructor(output: Pick<JobOutput, "write">) {
    this.#output = output;
  }

  take(event: OutputEvent): void {
    if (event.isCut === true) return this.#endLog(event);
    if (this.#isPast(event)) return;
    if (event.attempt > this.attempt && event.index === 0) this.#startAttempt(event.attempt);
    const isNext = event.attempt === this.attempt && event.index === this.#nextIndex;
    if (!isNext && !this.#isLogCut) return this.#keepEarly(event);
    this.#write(event);
    this.#takeEarly();
  }

  /** Writes what still waits: no more will come. */
  end(): void {
    this.#writeEarly();
    if (this.#mayMiss) this.#output.write("stderr", PERHAPS_MISSING, Date.now());
  }

  #endLog(notice: OutputEvent): void {
    // Before a piece of the same index: nothing of that one was kept, and it comes only now, as it is printed.
    if (!this.#isLogCut && !this.#isPast(notice)) this.#early.unshift(notice);
    else this.#mayMiss = !this.#isGapSaid;
    this.#isLogCut = true;
    this.#writeEarly();
  }

  #isPast({ attempt, index }: OutputEvent): boolean {
    return attempt < this.attempt || (attempt === this.attempt && index < this.#nextIndex);
  }

  #keepEarly(event: OutputEvent): void {
    this.#early.push(event);
    this.#earlyBytes += event.bytes.length;
    // What is missing seems to be lost.
    if (this.#earlyBytes > MOST_EARLY_BYTES) this.#writeEarly();
  }

  #takeEarly(): void {
    if (this.#early.length > 0) for (const event of this.#withoutEarly()) this.take(event);
  }

  #writeEarly(): void {
    for (const event of this.#withoutEarly()) this.#write(event);
  }

  /** All that came before its turn, in order; none of it waits any more. */
  #withoutEarly(): readonly OutputEvent[] {
    const early = this.#early.toSorted((a, b) => a.attempt - b.attempt || a.index - b.index);
    this.#early = [];
    this.#earlyBytes = 0;
    return early;
  }

  #startAttempt(attempt: number): void {
    this.attempt = attempt;
    this.#nextIndex = 0;
  }

  #write(event: OutputEvent): void {
    if (this.#isPast(event)) return;
    if (event.attempt > this.attempt) this.#startAttempt(event.attempt);
    const { stream, bytes, atMs, index, isCut = false } = event;
    if (index > this.#nextIndex && this.#isLogCut && !this.#isGapSaid && !isCut)
      this.#output.write("stderr", MISSING, atMs);
    this.received += 1;
    this.#nextIndex = isCut ? index : index + 1;
    this.#isGapSaid = isCut;
    this.#mayMiss = false;
    this.#output.write(stream, bytes, atMs);
  }
}

function missing(what: string): Uint8Array {
  return Buffer.from(`\n[kitchensink: ${what}, as the output log was cut before]\n`);
}
