const BUFFER_BYTES: number = 1024 * 1024;
/** For all readers of a directory together. */
const MOST_BUFFERS = 64;
/** Kept for the next reader; more are given back to the system. */
const MOST_IDLE = 8;

interface Waiter {
  readonly take: (buffer: Buffer) => void;
}

/** A bounded number of buffers, lent to whoever reads files. */
export class BufferPool {
  readonly #idle: Buffer[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #limit: number;
  #lent = 0;

  constructor(limit: number = MOST_BUFFERS) {
    this.#limit = limit;
  }

  /** Whether readers wait for a buffer. */
  get isScarce(): boolean {
    return this.#waiters.length > 0;
  }

  /** Give it back with {@link release}. Rejects when `signal` is aborted before there is one. */
  acquire(signal: AbortSignal): Promise<Buffer> {
    if (this.#lent < this.#limit) {
      this.#lent += 1;
      // The one used last is in the processor's cache.
      return Promise.resolve(this.#idle.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES));
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        take: (buffer) => {
          signal.removeEventListener("abort", abort);
          resolve(buffer);
        },
      };
      const abort = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      this.#waiters.push(waiter);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  release(buffer: Buffer): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) return waiter.take(buffer);
    this.#lent -= 1;
    if (this.#idle.length < MOST_IDLE) this.#idle.push(buffer);
  }
}
