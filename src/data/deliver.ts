import type { Writable } from "node:stream";
import { KitchenError } from "../core/errors.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { ByteRange } from "./types.ts";

export interface Delivery {
  readonly target: Writable;
  readonly pool: BufferPool;
  readonly range: ByteRange;
  readonly signal: AbortSignal;
  /** Reads what is there at `position`, at least a byte. */
  readonly read: (buffer: Buffer, position: number) => Promise<number>;
  /** Resolves when there is something to read at `position`; undefined: there is. */
  readonly ready: (position: number) => Promise<void> | undefined;
}

/**
 * Writes a range to a stream: while one buffer is on its way, the next is read. No buffer is held while there is nothing
 * to read.
 */
export async function deliver(delivery: Delivery): Promise<void> {
  const { target, pool, range, read, ready } = delivery;
  const peer = new Peer(delivery);
  let sending: Promise<void> = Promise.resolve();
  try {
    let position = range.start;
    while (position < range.end) {
      if (peer.reason !== undefined) await sending.then(() => Promise.reject(peer.reason));
      const waiting = ready(position);
      if (waiting !== undefined) await peer.race(waiting);
      const buffer = pool.lend();
      let length: number;
      try {
        const wanted = Math.min(buffer.length, range.end - position);
        length = await read(buffer.subarray(0, wanted), position).catch((error: unknown) => {
          // Why it went, rather than what came of that: a file that is closed cannot be read.
          throw peer.reason ?? error;
        });
        await sending;
      } catch (error) {
        pool.release(buffer);
        throw error;
      }
      position += length;
      sending = peer.send(buffer.subarray(0, length)).finally(() => pool.release(buffer));
      sending.catch(() => {});
    }
    await sending;
  } catch (error) {
    // First the stream, then the buffer that it may still look at.
    target.destroy();
    peer.leave();
    await sending.catch(() => {});
    throw error;
  } finally {
    peer.forget();
  }
}

/**
 * The other end of a stream, which may go at any time, as may the reader. Whatever waits is told by one list, not by
 * signals of their own: a step of 1 MiB must cost next to nothing.
 */
class Peer {
  readonly #delivery: Delivery;
  readonly #waiting = new Set<(reason: unknown) => void>();
  #reason: unknown;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
    const { target, signal } = delivery;
    target.once("close", this.leave);
    target.on("error", this.leave);
    signal.addEventListener("abort", this.#stop, { once: true });
    if (target.destroyed) this.leave();
    if (signal.aborted) this.#stop();
  }

  /** Why it went; undefined while it is there. */
  get reason(): unknown {
    return this.#reason;
  }

  forget(): void {
    const { target, signal } = this.#delivery;
    target.off("close", this.leave);
    target.off("error", this.leave);
    signal.removeEventListener("abort", this.#stop);
  }

  /** Resolves when the stream has taken the bytes. */
  send(bytes: Buffer): Promise<void> {
    return this.#unlessGone((settle) => {
      this.#delivery.target.write(bytes, (error) =>
        settle(error == null ? undefined : left(`failed: ${error.message}`, error)),
      );
    });
  }

  /** Settles as `promise` does, or rejects when the peer has gone. */
  race(promise: Promise<void>): Promise<void> {
    // Heard of here, also when nobody waits for it any more.
    promise.catch(() => {});
    return this.#unlessGone((settle) => void promise.then(() => settle(), settle));
  }

  #unlessGone(begin: (settle: (error?: unknown) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#reason !== undefined) return reject(this.#reason);
      const settle = (error?: unknown): void => {
        this.#waiting.delete(settle);
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#waiting.add(settle);
      begin(settle);
    });
  }

  #go(reason: unknown): void {
    this.#reason ??= reason;
    for (const settle of this.#waiting) settle(this.#reason);
  }

  readonly leave = (): void => this.#go(left("closed the connection"));
  readonly #stop = (): void => this.#go(this.#delivery.signal.reason);
}

function left(how: string, cause?: unknown): KitchenError {
  return new KitchenError("KS_CONNECTION_LOST", `Cannot send data to its end: the reader ${how}`, { cause });
}
