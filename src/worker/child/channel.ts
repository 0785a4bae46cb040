import { Socket } from "node:net";
import { FrameReader, frame } from "../../codec/frames.ts";
import { encodeFromWorker, parseToWorker } from "../../codec/worker-wire.ts";
import type { FromWorker, ToWorker } from "../../core/messages.ts";

/** The descriptor that the node opened for the channel. */
const CHANNEL_FD = 3;
/** The node has checked every size; this only guards against a stream that lost its place. */
const MAX_FRAME_BYTES: number = 2 ** 31;

/** The worker's end of its channel. The process ends when the node closes it. */
export class Channel {
  readonly #socket = new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
  #frames: Buffer[] = [];

  listen(onMessage: (message: ToWorker) => void): void {
    const reader = new FrameReader(MAX_FRAME_BYTES);
    this.#socket.on("data", (chunk: Buffer) => reader.push(chunk, (body) => onMessage(parseToWorker(body))));
    const leave = (): void => process.exit(0);
    this.#socket.on("error", leave);
    this.#socket.on("close", leave);
  }

  /** Queues a message; it leaves with the next {@link flush}. */
  post(message: FromWorker): void {
    this.#frames.push(frame(encodeFromWorker(message)));
  }

  flush(): void {
    if (this.#frames.length === 0) return;
    const only = this.#frames.length === 1 ? this.#frames[0] : undefined;
    this.#socket.write(only ?? Buffer.concat(this.#frames));
    this.#frames = [];
  }

  send(message: FromWorker): void {
    this.post(message);
    this.flush();
  }
}
