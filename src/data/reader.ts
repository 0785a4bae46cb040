import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { DataFacts } from "../core/data.ts";
import { KitchenError } from "../core/errors.ts";
import type { Arrival } from "./arrival.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { deliver } from "./deliver.ts";
import type { ByteRange } from "./types.ts";

export interface ReaderParts {
  readonly facts: DataFacts;
  /** Its file when it is complete. */
  readonly path: string;
  /** Opened already, or read as it grows. */
  readonly from: FileHandle | Arrival;
  readonly pool: BufferPool;
  /** Told how many bytes were read to be sent. */
  readonly onSent: (bytes: number) => void;
  readonly onClose: (reader: DataReader) => void;
}

/**
 * Reads one replica, or an arrival as it grows: then it waits for what has not come yet. Send it, read its pieces, or
 * close it: until then it holds a file open.
 *
 * @example
 * ```ts
 * const reader = await directory.openReader(url, { waitMs: 2_000 });
 * response.writeHead(200, { "content-length": reader.facts.size, etag: `"${reader.facts.sha256}"` });
 * await reader.sendTo(response);
 * response.end();
 * ```
 */
export class DataReader {
  readonly facts: DataFacts;
  readonly #parts: ReaderParts;
  readonly #arrival: Arrival | undefined;
  readonly #edition: number;
  readonly #controller = new AbortController();
  #handle: FileHandle | undefined;
  #isClosed = false;

  constructor(parts: ReaderParts) {
    this.facts = parts.facts;
    this.#parts = parts;
    this.#arrival = "start" in parts.from ? parts.from : undefined;
    this.#handle = "start" in parts.from ? undefined : parts.from;
    this.#edition = this.#arrival?.edition ?? 0;
  }

  /** Whether some of it may still have to arrive. */
  get isArriving(): boolean {
    return this.#arrival !== undefined;
  }

  /**
   * Writes the bytes to `target`, as fast as it takes them, and closes. Does not end the target.
   *
   * @throws what kept it from sending all; the target is destroyed then, for what it was sent must not pass for the whole
   */
  async sendTo(target: Writable, range?: ByteRange): Promise<void> {
    const { pool, onSent } = this.#parts;
    try {
      await deliver({
        target,
        pool,
        range: range ?? this.#whole(),
        signal: this.#controller.signal,
        read: async (buffer, position) => {
          const length = await this.#read(buffer, position);
          onSent(length);
          return length;
        },
        ready: (position) => this.#ready(position),
      });
    } finally {
      await this.#release();
    }
  }

  /** The bytes in pieces of up to 256 KiB, each the caller's own. Closes at the end, or when the caller stops. */
  async *pieces(range: ByteRange = this.#whole()): AsyncGenerator<Uint8Array> {
    try {
      let position = range.start;
      while (position < range.end) {
        await this.#ready(position);
        const buffer = Buffer.allocUnsafe(Math.min(256 * 1024, range.end - position));
        const length = await this.#read(buffer, position);
        position += length;
        yield buffer.subarray(0, length);
      }
    } finally {
      await this.#release();
    }
  }

  /** Lets the file go; whoever sends it at the moment fails. */
  async close(): Promise<void> {
    if (!this.#isClosed) this.#controller.abort(unavailable(this.facts.url, "its reader was closed"));
    await this.#release();
  }

  /** Nobody waits for anything any more. */
  async #release(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.onClose(this);
    await this.#handle?.close();
  }

  #whole(): ByteRange {
    return { start: 0, end: this.facts.size };
  }

  /** Resolves when there is something at `position`; undefined: there is. */
  #ready(position: number): Promise<void> | undefined {
    const isThere = this.#arrival?.hasBeyond(position, this.#edition) ?? true;
    return isThere && this.#handle !== undefined ? undefined : this.#waitFor(position);
  }

  async #waitFor(position: number): Promise<void> {
    await this.#arrival?.waitBeyond(position, this.#edition, this.#controller.signal);
    this.#handle ??= await this.#openGrowing();
  }

  /** Reads what is there, at least a byte. */
  async #read(buffer: Buffer, position: number): Promise<number> {
    const end = this.#arrival === undefined ? this.facts.size : this.#arrival.readableBytes;
    const wanted = Math.min(buffer.length, end - position);
    const { bytesRead = 0 } = (await this.#handle?.read(buffer, 0, wanted, position)) ?? {};
    // It began anew while it was read: who knows which of the two this was.
    this.#arrival?.hasBeyond(position, this.#edition);
    if (bytesRead === 0)
      throw this.#arrival?.damaged() ?? unavailable(this.facts.url, "its file is shorter than it was");
    return bytesRead;
  }

  async #openGrowing(): Promise<FileHandle> {
    const arrival = this.#arrival as Arrival;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    const handle = await open(arrival.part, flags).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      // It is in place by now, or on the way there.
      await arrival.waitForEnd(this.#controller.signal);
      return open(this.#parts.path, flags);
    });
    if (!this.#isClosed) return handle;
    await handle.close();
    throw this.#controller.signal.reason;
  }
}

function unavailable(url: string, why: string): KitchenError {
  return new KitchenError("KS_DATA_UNAVAILABLE", `Cannot read "${url}": ${why}`);
}
