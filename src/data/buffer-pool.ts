const LARGE_BYTES: number = 1024 * 1024;
/** For all readers of a directory together. */
const MOST_LARGE = 64;
/** Kept for the next reader; more are given back to the system. */
const MOST_IDLE = 8;
/** When the large ones are lent out, to readers who are slow perhaps: nobody has to wait for those. */
const SMALL_BYTES: number = 32 * 1024;

/** Buffers for whoever reads files: large ones up to a limit, and then small ones. */
export class BufferPool {
  readonly #idle: Buffer[] = [];
  readonly #mostLarge: number;
  #lent = 0;

  constructor(mostLarge: number = MOST_LARGE) {
    this.#mostLarge = mostLarge;
  }

  /** Give it back with {@link release}. */
  lend(): Buffer {
    if (this.#lent >= this.#mostLarge) return Buffer.allocUnsafeSlow(SMALL_BYTES);
    this.#lent += 1;
    // The one used last is in the processor's cache.
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
  }

  release(buffer: Buffer): void {
    if (buffer.length !== LARGE_BYTES) return;
    this.#lent -= 1;
    if (this.#idle.length < MOST_IDLE) this.#idle.push(buffer);
  }
}
