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
  /** Resolves when there is something to read at `position`. */
  readonly ready: (position: number) => Promise<void>;
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
      await peer.race(ready(position));
      const buffer = pool.lend();
      let length: number;
      try {
        const wanted = Math.min(buffer.length, range.end - position);
        length = await read(buffer.subarray(0, wanted), position);
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

/** The other end of a stream, which may go at any time, as may the reader. */
class Peer {
  readonly #delivery: Delivery;
  readonly #controller = new AbortController();

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
    const { target, signal } = delivery;
    target.once("close", this.leave);
    target.on("error", this.leave);
    signal.addEventListener("abort", this.#stop, { once: true });
    if (target.destroyed) this.leave();
    if (signal.aborted) this.#stop();
  }

  get gone(): AbortSignal {
    return this.#controller.signal;
  }

  forget(): void {
    const { target, signal } = this.#delivery;
    target.off("close", this.leave);
    target.off("error", this.leave);
    signal.removeEventListener("abort", this.#stop);
  }

  /** Resolves when the stream has taken the bytes. */
  send(bytes: Buffer): Promise<void> {
    const { target } = this.#delivery;
    return new Promise((resolve, reject) => {
      const leave = (): void => settle(this.gone.reason);
      const settle = (error?: unknown): void => {
        this.gone.removeEventListener("abort", leave);
        if (error == null) resolve();
        else reject(error);
      };
      if (this.gone.aborted) return leave();
      this.gone.addEventListener("abort", leave, { once: true });
      target.write(bytes, (error) =>
        settle(error == null ? undefined : left(`failed: ${error.message}`, error)),
      );
    });
  }

  /** Settles as `promise` does, or rejects when the peer has gone. */
  race<T>(promise: Promise<T>): Promise<T> {
    if (this.gone.aborted) {
      promise.catch(() => {});
      return Promise.reject(this.gone.reason);
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => reject(this.gone.reason);
      this.gone.addEventListener("abort", leave, { once: true });
      promise.then(resolve, reject).finally(() => this.gone.removeEventListener("abort", leave));
    });
  }

  readonly leave = (): void => this.#controller.abort(left("closed the connection"));
  readonly #stop = (): void => this.#controller.abort(this.#delivery.signal.reason);
}

function left(how: string, cause?: unknown): KitchenError {
  return new KitchenError("KS_CONNECTION_LOST", `Cannot send data to its end: the reader ${how}`, { cause });
}
