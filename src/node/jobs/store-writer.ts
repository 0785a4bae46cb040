import { KitchenError, messageOf } from "../../core/errors.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import type { FinalState } from "../../core/job-states.ts";
import { missingNotice } from "../../store/output-limit.ts";
import type {
  FinishReply,
  FinishRow,
  OutputPiece,
  OutputRow,
  Store,
  StreamingRow,
} from "../../store/port.ts";
import type { Hub } from "../watching/hub.ts";
import { RecentEnds } from "./recent-ends.ts";

const RETRY_MS = 500;
/** Of output that is not in the store yet. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** What goes to the store in one command. Usually all of a turn does. */
const MAX_PART_BYTES = 4 * 1024 * 1024;
const MAX_PART_ROWS = 5_000;
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

/** What is on its way to the store, or waits for it. */
interface Batch {
  readonly output: readonly OutputRow[];
  readonly streaming: readonly StreamingRow[];
  readonly finished: readonly FinishRow[];
}

/**
 * What the node tells the store of its jobs, one batch an event-loop turn, in order: first output, last ends. While
 * the store is away everything waits here, and goes out as one batch when it is back; a commit that is repeated changes
 * nothing. Ends are never dropped: without a store nothing is claimed, so they are no more than the jobs that were here.
 */
export class StoreWriter {
  readonly #options: StoreWriterOptions;
  readonly #recent = new RecentEnds();
  #output: OutputRow[] = [];
  #streaming: StreamingRow[] = [];
  #finished: FinishRow[] = [];
  #heldBytes = 0;
  /** Jobs whose output is being dropped, each by its attempt: their logs say so already. */
  readonly #cut = new Map<JobId, number>();
  /** Jobs whose output is on its way. What is said of them next waits: a command can be overtaken by the one behind it. */
  readonly #appending = new Set<JobId>();
  /** In the order of sending; each with what of it the store did not take, once that is known. */
  readonly #sent = new Map<Batch, Batch | undefined>();
  #settling: Promise<void> = Promise.resolve();
  #room: Promise<void> | undefined;
  #onRoom: () => void = () => {};
  #isScheduled = false;
  #isAway = false;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: StoreWriterOptions) {
    this.#options = options;
  }

  /** Gives what resolves when more output can be taken; `undefined`: it can be now. */
  output(id: JobId, piece: OutputPiece): Promise<void> | undefined {
    // Whoever waits here is told at once; the log and other nodes a turn later.
    const read = this.#options.hub.output(id, piece);
    const kept = this.#heldBytes + piece.bytes.length > MAX_HELD_BYTES ? this.#cutAt(id, piece) : piece;
    if (kept === undefined) return read;
    if (kept === piece) this.#cut.delete(id);
    this.#heldBytes += kept.bytes.length;
    this.#output.push({ id, piece: kept });
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
    this.#cut.delete(row.id);
    if (row.next !== "succeeded") this.#options.onDiscarded?.(row);
    this.#finished.push(row);
    this.#schedule();
  }

  /** Whether the store may still have to hear how this attempt ended. */
  isEnding(id: JobId, attempt: number): boolean {
    const isIt = (row: FinishRow): boolean => row.id === id && row.attempt === attempt;
    return this.#finished.some(isIt) || [...this.#sent.keys()].some(({ finished }) => finished.some(isIt));
  }

  /** Says the last ends once more, of those jobs that are asked for. @throws KitchenError `KS_UNAVAILABLE` */
  async repeat(isWanted: (id: JobId) => boolean): Promise<void> {
    const { store, node } = this.#options;
    for (const batch of this.#recent.list(performance.now())) {
      const rows = batch.filter(({ id }) => isWanted(id));
      if (rows.length > 0) await store.finish(node, rows);
    }
  }

  /** The store may be back: what waits for it is sent now. */
  retry(): void {
    if (this.#retry !== undefined) this.#flush();
  }

  /** Resolves when all that was said so far is in the store. @throws KitchenError `KS_UNAVAILABLE` when it does not take it */
  async drained(): Promise<void> {
    // Output that was on its way, output that waited for it, and the end behind that.
    for (let round = 0; round === 0 || (round < 3 && !this.#isAway); round += 1) {
      this.#flush();
      await this.#settling;
    }
    if (this.#isAway) throw new KitchenError("KS_UNAVAILABLE", "The store does not answer: try again later");
  }

  /** From now on nothing is tried twice. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isAway) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const batch = this.#take();
    if (isEmpty(batch)) return;
    this.#sent.set(batch, undefined);
    this.#settling = Promise.all([this.#settling, this.#send(batch)]).then(() => {});
    this.#options.onFlushed(batch.finished.some(({ next }) => next === "queued"));
  }

  /** What can go now: of each job that printed its output, and what comes behind it when that is in the store. */
  #take(): Batch {
    const isFree = ({ id }: { readonly id: JobId }): boolean => !this.#appending.has(id);
    const output = this.#output.filter(isFree);
    this.#output = this.#output.filter((row) => !isFree(row));
    for (const { id } of output) this.#appending.add(id);
    const [streaming, finished] = [this.#streaming.filter(isFree), this.#finished.filter(isFree)];
    this.#streaming = this.#streaming.filter((row) => !isFree(row));
    this.#finished = this.#finished.filter((row) => !isFree(row));
    return { output, streaming, finished };
  }

  /** What the store did not take stays ahead of what is said of these jobs next. */
  #appended(rows: readonly OutputRow[], left: readonly OutputRow[]): readonly OutputRow[] {
    if (left.length > 0) return left;
    for (const { id } of rows) this.#appending.delete(id);
    const waiting = { output: this.#output, streaming: this.#streaming, finished: this.#finished };
    if (!isEmpty(waiting)) this.#schedule();
    return left;
  }

  async #send(batch: Batch): Promise<void> {
    const [output, streaming, finished] = await Promise.all([
      this.#write(
        batch.output,
        ({ piece }) => piece.bytes.length,
        (rows) => this.#writeOutput(rows),
      ).then((left) => this.#appended(batch.output, left)),
      this.#write(
        batch.streaming,
        () => 0,
        (rows) => this.#writeStreaming(rows),
      ),
      this.#write(batch.finished, outcomeBytes, (rows) => this.#writeFinished(rows)),
    ]);
    this.#settle(batch, { output, streaming, finished });
  }

  async #writeOutput(rows: readonly OutputRow[]): Promise<void> {
    await this.#options.store.appendOutput(this.#options.node, rows);
    this.#heldBytes -= rows.reduce((sum, { piece }) => sum + piece.bytes.length, 0);
    if (this.#heldBytes <= MOST_UNSTORED_BYTES) this.#tellRoom();
  }

  async #writeStreaming(rows: readonly StreamingRow[]): Promise<void> {
    await this.#options.store.markStreaming(this.#options.node, rows);
  }

  async #writeFinished(rows: readonly FinishRow[]): Promise<void> {
    const replies = await this.#options.store.finish(this.#options.node, rows);
    this.#recent.add(rows, performance.now());
    rows.forEach((row, at) => this.#tell(row, replies[at]));
  }

  /** All parts at once, in order. Gives the rows that the store did not take. */
  async #write<Row>(
    rows: readonly Row[],
    sizeOf: (row: Row) => number,
    write: (rows: readonly Row[]) => Promise<void>,
  ): Promise<readonly Row[]> {
    if (rows.length === 0) return rows;
    const left = await Promise.all(
      inParts(rows, sizeOf).map((part) =>
        write(part).then(
          (): readonly Row[] => [],
          (error: unknown) => {
            this.#lose(error);
            return part;
          },
        ),
      ),
    );
    return left.flat();
  }

  #lose(error: unknown): void {
    if (!this.#isAway && !this.#isClosed)
      this.#options.warn(`cannot reach the store, what happens here waits for it: ${messageOf(error)}`);
    this.#isAway = true;
    this.#tellRoom();
  }

  /** When nothing is on its way any more, what the store did not take goes before all that came since. */
  #settle(batch: Batch, left: Batch): void {
    if (isEmpty(left)) this.#sent.delete(batch);
    else this.#sent.set(batch, left);
    if (!this.#isAway || [...this.#sent.values()].includes(undefined)) return;
    const all = [...this.#sent.values()].filter((other) => other !== undefined);
    this.#sent.clear();
    this.#appending.clear();
    this.#output = [...all.flatMap(({ output }) => output), ...this.#output];
    this.#streaming = [...all.flatMap(({ streaming }) => streaming), ...this.#streaming];
    this.#finished = [...all.flatMap(({ finished }) => finished), ...this.#finished];
    if (all.length > 0) this.#retryLater();
    else this.#goOn();
  }

  #retryLater(): void {
    if (!this.#isClosed) this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
  }

  #goOn(): void {
    this.#isAway = false;
    this.#options.warn("the store is back, and has what waited for it");
    this.#schedule();
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

  /** What stands in the log where pieces are missing, once for all that follow each other. */
  #cutAt(id: JobId, piece: OutputPiece): OutputPiece | undefined {
    if (this.#cut.get(id) === piece.attempt) return undefined;
    this.#cut.set(id, piece.attempt);
    return { ...piece, stream: "stderr", bytes: missingNotice() };
  }
}

function isEmpty({ output, streaming, finished }: Batch): boolean {
  return output.length + streaming.length + finished.length === 0;
}

function outcomeBytes(row: FinishRow): number {
  return row.next === "queued" ? 0 : row.outcome.length;
}

function inParts<Row>(rows: readonly Row[], sizeOf: (row: Row) => number): (readonly Row[])[] {
  const parts: (readonly Row[])[] = [];
  let from = 0;
  let bytes = 0;
  for (const [at, row] of rows.entries()) {
    const size = sizeOf(row);
    if (at > from && (bytes + size > MAX_PART_BYTES || at - from === MAX_PART_ROWS)) {
      parts.push(rows.slice(from, at));
      from = at;
      bytes = 0;
    }
    bytes += size;
  }
  parts.push(from === 0 ? rows : rows.slice(from));
  return parts;
}
