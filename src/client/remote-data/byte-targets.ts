/** Where data goes that is read as a whole. Both are told where the bytes of a position are to be put, so none is copied. */
import { open, type FileHandle } from "node:fs/promises";
import { READ_ONLY } from "./temporary-files.ts";

const BUFFER_BYTES: number = 1024 * 1024;
/** One is filled while the others are on their way to the disk. */
const BUFFERS = 3;
/** Others have their turn after so many bytes, which take some milliseconds to arrive and to be hashed. */
const TURN_BYTES: number = 8 * BUFFER_BYTES;

export interface ByteTarget {
  /** Room for bytes from `position` on; once `take` gave a promise, when that has settled. */
  room(position: number): Uint8Array;
  /** Takes what was put into the room, in order. A promise: nothing more may come before it settles. */
  take(bytes: Uint8Array): Promise<void> | undefined;
}

/** One piece of memory. */
export class MemoryTarget implements ByteTarget {
  readonly bytes: Uint8Array;
  #taken = 0;

  constructor(size: number) {
    // Taken from the pool, small ones would keep memory of others.
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  room(position: number): Uint8Array {
    return this.bytes.subarray(position, position + BUFFER_BYTES);
  }

  take({ length }: Uint8Array): Promise<void> | undefined {
    const turns = Math.floor(this.#taken / TURN_BYTES);
    this.#taken += length;
    return Math.floor(this.#taken / TURN_BYTES) === turns ? undefined : new Promise(setImmediate);
  }
}

interface Slot {
  readonly buffer: Buffer;
  filled: number;
  writing: Promise<void> | undefined;
}

/** A new file. A disk that stalls keeps nobody else waiting: three buffers are all that is held. */
export class FileTarget implements ByteTarget {
  readonly #handle: FileHandle;
  readonly #slots: readonly Slot[];
  #current = 0;
  #taken = 0;

  private constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    const [bytes, count] = size > BUFFER_BYTES ? [BUFFER_BYTES, BUFFERS] : [Math.max(1, size), 1];
    this.#slots = Array.from({ length: count }, () => ({
      buffer: Buffer.allocUnsafeSlow(bytes),
      filled: 0,
      writing: undefined,
    }));
  }

  /** Makes a file that `use` fills, and closes it; nobody else writes to it. */
  static async open<T>(path: string, size: number, use: (target: FileTarget) => Promise<T>): Promise<T> {
    const handle = await open(path, "wx", READ_ONLY);
    try {
      const target = new FileTarget(handle, size);
      const result = await use(target);
      await target.#end();
      return result;
    } finally {
      await handle.close();
    }
  }

  room(): Uint8Array {
    const { buffer, filled } = this.#slot;
    return buffer.subarray(filled);
  }

  take({ length }: Uint8Array): Promise<void> | undefined {
    const slot = this.#slot;
    slot.filled += length;
    this.#taken += length;
    // Filled up first: a write costs more than the bytes in it.
    if (slot.filled < slot.buffer.length) return undefined;
    this.#writeOut(slot);
    this.#current = (this.#current + 1) % this.#slots.length;
    return this.#slot.writing;
  }

  get #slot(): Slot {
    return this.#slots[this.#current] as Slot;
  }

  /** Room is there again at once, for when this has settled. */
  #writeOut(slot: Slot): void {
    const bytes = slot.buffer.subarray(0, slot.filled);
    slot.filled = 0;
    slot.writing = this.#write(bytes, this.#taken - bytes.length).then(() => void (slot.writing = undefined));
    // Whoever waits for it hears of a failure.
    slot.writing.catch(() => {});
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const left = bytes.length - from;
      from += (await this.#handle.write(bytes, from, left, position + from)).bytesWritten;
    }
  }

  async #end(): Promise<void> {
    if (this.#slot.filled > 0) this.#writeOut(this.#slot);
    for (const { writing } of this.#slots) await writing;
  }
}
