import { Socket } from "node:net";
import { FrameReader, frames } from "../../codec/frames.ts";
import { encodeFromWorker, parseToWorker } from "../../codec/worker-wire.ts";
import { EXIT_CODES } from "../../core/exit-codes.ts";
import type { FromWorker, ToWorker } from "../../core/messages.ts";

/** As it is before jobs get to see it. */
const exit = process.exit.bind(process);
/** The descriptor that the node opened for the channel. */
const CHANNEL_FD = 3;
/** The node has checked every size; this only guards against a stream that lost its place. */
const MAX_FRAME_BYTES: number = 2 ** 31;

/** The worker's end of its channel. The process ends when the node closes it. */
export class Channel {
  readonly #socket = new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
  #bodies: Buffer[] = [];

  listen(onMessage: (message: ToWorker) => void): void {
    const reader = new FrameReader(MAX_FRAME_BYTES);
    this.#socket.on("data", (chunk: Buffer) => reader.push(chunk, (body) => onMessage(parseToWorker(body))));
    this.#socket.on("error", () => exit(EXIT_CODES["closed-channel"]));
    this.#socket.on("close", () => exit(0));
  }

  /** Queues a message; it leaves with the next {@link flush}, at the latest as soon as nothing keeps the thread busy. */
  post(message: FromWorker): void {
    if (this.#bodies.length === 0) setImmediate(() => this.flush());
    this.#bodies.push(encodeFromWorker(message));
  }

  flush(): void {
    if (this.#bodies.length === 0) return;
    this.#socket.write(frames(this.#bodies));
    this.#bodies = [];
  }

  /** Sends what is queued, and calls back when it has left, or cannot. */
  end(done: () => void): void {
    this.flush();
    this.#socket.end(done);
  }

  send(message: FromWorker): void {
    this.post(message);
    this.flush();
  }
}
