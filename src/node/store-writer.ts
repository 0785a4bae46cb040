import type { JobId, NodeName } from "../core/ids.ts";
import type { FinalState } from "../core/job-states.ts";
import type { FinishReply, FinishRow, OutputPiece, OutputRow, Store, StreamingRow } from "../store/port.ts";
import type { Hub } from "./hub.ts";

const RETRY_MS = 500;
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** Jobs that print wait while there is more output than this on its way to the store. */
const MOST_UNSTORED_BYTES = 4 * 1024 * 1024;

export interface StoreWriterOptions {
  readonly store: Store;
  readonly node: NodeName;
  readonly hub: Hub;
  readonly warn: (message: string) => void;
  /** The attempt did not succeed, or was not this node's any more: nobody will ask for what it kept. */
  readonly onDiscarded?: (row: FinishRow) => void;
  /**
   * Called after a batch went out, in the same turn: the next claim travels right behind it. `hasRequeued`: jobs went back
   * to their queues.
   */
  readonly onFlushed: (hasRequeued: boolean) => void;
}

/**
 * What the node tells the store of its jobs, one batch an event-loop turn, in order: first output, last ends. While
 * the store is away, batches wait and are sent again; a commit that is repeated changes nothing.
 */
export class StoreWriter {
  readonly #options: StoreWriterOptions;
  #output: OutputRow[] = [];
  #streaming: StreamingRow[] = [];
  #finished: FinishRow[] = [];
  /** Output that is not in the store yet. */
  #heldBytes = 0;
  #isAway = false;
  #room: Promise<void> | undefined;
  #onRoom: () => void = () => {};
  #isScheduled = false;
  #inFlight: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: StoreWriterOptions) {
    this.#options = options;
  }

  /** Gives what resolves when more output can be taken; `undefined`: it can be now. */
  output(id: JobId, piece: OutputPiece): Promise<void> | undefined {
    // Whoever waits here is told at once; the log and other nodes a turn later.
    const read = this.#options.hub.output(id, piece);
    // While the store is away, the log may lose output; ends of jobs are few, and never dropped.
    if (this.#heldBytes + piece.bytes.length > MAX_HELD_BYTES) return read;
    this.#heldBytes += piece.bytes.length;
    this.#output.push({ id, piece });
    this.#schedule();
    const stored = this.#stored();
    return read === undefined || stored === undefined ? (read ?? stored) : read.then(() => stored);
  }

  /** Jobs wait for a store that is slow, and not for one that is away. */
  #stored(): Promise<void> | undefined {
    if (this.#isAway || this.#heldBytes <= MOST_UNSTORED_BYTES) return undefined;
    return (this.#room ??= new Promise((resolve) => {
      this.#onRoom = resolve;
    }));
  }

  #tellRoom(): void {
    this.#onRoom();
    this.#room = undefined;
  }

  streaming(row: StreamingRow): void {
    this.#options.hub.streaming(row.id, row.attempt);
    this.#streaming.push(row);
    this.#schedule();
  }

  finish(row: FinishRow): void {
    if (row.next !== "succeeded") this.#options.onDiscarded?.(row);
    this.#finished.push(row);
    this.#schedule();
  }

  /** Resolves when all that was said so far is in the store, or given up. */
  async drained(): Promise<void> {
    this.#flush();
    await this.#inFlight;
  }

  close(): void {
    this.#isClosed = true;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const output = this.#output;
    const streaming = this.#streaming;
    const finished = this.#finished;
    this.#output = [];
    this.#streaming = [];
    this.#finished = [];
    if (output.length + streaming.length + finished.length === 0) return;
    const written = Promise.all([
      this.#writeOutput(output),
      this.#writeStreaming(streaming),
      this.#writeFinished(finished),
    ]);
    this.#inFlight = Promise.all([this.#inFlight, written]).then(() => {});
    this.#options.onFlushed(finished.some(({ next }) => next === "queued"));
  }

  async #writeOutput(rows: readonly OutputRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#persist(() => this.#options.store.appendOutput(this.#options.node, rows));
    this.#heldBytes -= rows.reduce((sum, { piece }) => sum + piece.bytes.length, 0);
    if (this.#heldBytes <= MOST_UNSTORED_BYTES) this.#tellRoom();
  }

  async #writeStreaming(rows: readonly StreamingRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#persist(() => this.#options.store.markStreaming(this.#options.node, rows));
  }

  async #writeFinished(rows: readonly FinishRow[]): Promise<void> {
    if (rows.length === 0) return;
    const replies = await this.#persist(() => this.#options.store.finish(this.#options.node, rows));
    rows.forEach((row, at) => this.#tell(row, replies?.[at]));
  }

  #tell(row: FinishRow, reply: FinishReply | undefined): void {
    if (reply !== "committed" && reply !== undefined) this.#options.onDiscarded?.(row);
    if (reply === undefined || reply === "fenced") return;
    if (reply !== "committed") this.#finishedLocally(row.id, "cancelled", reply.cancelled);
    else if (row.next !== "queued") this.#finishedLocally(row.id, row.next, row.outcome);
  }

  #finishedLocally(id: JobId, state: FinalState, outcome: Uint8Array): void {
    this.#options.hub.finished(id, state, outcome);
  }

  /** Tries until it works or the node closes. */
  async #persist<T>(write: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        const written = await write();
        this.#isAway = false;
        return written;
      } catch (error) {
        this.#isAway = true;
        this.#tellRoom();
        if (this.#isClosed) return undefined;
        this.#options.warn(
          `cannot reach the store, trying again: ${error instanceof Error ? error.message : String(error)}`,
        );
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
