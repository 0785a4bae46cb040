import type { FromThread, SealedPart, ToThread } from "./thread/messages.ts";

/** Large enough that a message costs little beside it, small enough for many uploads at a time. */
const MESSAGE_BYTES: number = 256 * 1024;
/** What is gathered, on its way, or being written. */
const MOST_BYTES: number = 3 * MESSAGE_BYTES;

export interface PartChannel {
  readonly task: number;
  readonly send: (message: ToThread, transfer?: ArrayBuffer[]) => void;
}

type Connect = (handlers: {
  onMessage: (message: FromThread) => void;
  end: (failure: Error) => void;
}) => PartChannel;

/** Writes a part through the data thread, in order; it holds little more than a few pieces. */
export class PartWriter {
  readonly #channel: PartChannel;
  #gathered: Uint8Array<ArrayBuffer>[] = [];
  #gatheredBytes = 0;
  #acceptedBytes = 0;
  #writtenBytes = 0;
  #sealed: SealedPart | undefined;
  #failure: Error | undefined;
  #waiting: (() => void)[] = [];

  constructor(path: string, connect: Connect) {
    this.#channel = connect({
      onMessage: (message) => this.#receive(message),
      end: (failure) => {
        this.#failure = failure;
        this.#wake();
      },
    });
    this.#channel.send({ type: "open", task: this.#channel.task, path });
  }

  /** Bytes that it was given. */
  get acceptedBytes(): number {
    return this.#acceptedBytes;
  }

  /** Takes the bytes over: they may be gone for the caller. Resolves when there is room for more. Rejects when the part failed. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#gathered.push(owned(bytes));
    this.#gatheredBytes += bytes.length;
    this.#acceptedBytes += bytes.length;
    if (this.#gatheredBytes >= MESSAGE_BYTES) this.#post();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#acceptedBytes - this.#writtenBytes > MOST_BYTES)
      await this.#until(() => this.#acceptedBytes - this.#writtenBytes <= MOST_BYTES);
  }

  /** Resolves when all that it was given is written. */
  async flush(): Promise<void> {
    this.#post();
    await this.#until(() => this.#writtenBytes === this.#acceptedBytes);
  }

  /** Resolves when the disk has all of it. */
  async seal(): Promise<SealedPart> {
    this.#post();
    this.#channel.send({ type: "seal", task: this.#channel.task });
    await this.#until(() => this.#sealed !== undefined);
    return this.#sealed as SealedPart;
  }

  /** Gives up; resolves when the thread has let go of the file. */
  async stop(): Promise<void> {
    if (this.#sealed !== undefined || this.#failure !== undefined) return;
    this.#channel.send({ type: "stop", task: this.#channel.task });
    await this.#until(() => this.#sealed !== undefined).catch(() => {});
  }

  #post(): void {
    if (this.#gathered.length === 0 || this.#failure !== undefined) return;
    const pieces = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const buffers = pieces.map(({ buffer }) => buffer);
    this.#channel.send({ type: "write", task: this.#channel.task, pieces }, buffers);
  }

  #receive(message: FromThread): void {
    if (message.type === "sealed") this.#sealed = message.part;
    else if (message.type === "written") this.#writtenBytes += message.bytes;
    this.#wake();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/**
 * Bytes with memory of their own, which can be given to another thread. Given away, they are no burden here: what a body
 * brings would have the collector of garbage run 40 times a GB.
 */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  return isAlone ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
