import type { FromThread, SealedPart, ToThread } from "./thread/messages.ts";

/** Large enough that a message costs little beside it, small enough for many uploads at a time. */
const BUFFER_BYTES: number = 256 * 1024;
/** One that is filled, others under way. */
const MOST_BUFFERS = 3;

export interface PartChannel {
  readonly task: number;
  readonly send: (message: ToThread, transfer?: ArrayBuffer[]) => void;
}

type Connect = (handlers: {
  onMessage: (message: FromThread) => void;
  end: (failure: Error) => void;
}) => PartChannel;

/** Writes a part through the data thread, in order, with a few buffers that go there and come back. */
export class PartWriter {
  readonly #channel: PartChannel;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #made = 0;
  #filling: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
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

  /** Copies the bytes; resolves when there is room for more. Rejects when the part failed. */
  async write(bytes: Uint8Array): Promise<void> {
    let from = 0;
    while (from < bytes.length) {
      const buffer = this.#filling ?? (this.#filling = await this.#buffer(bytes.length - from));
      const count = Math.min(buffer.length - this.#filled, bytes.length - from);
      buffer.set(bytes.subarray(from, from + count), this.#filled);
      this.#filled += count;
      from += count;
      if (this.#filled === buffer.length) this.#post();
    }
    this.#acceptedBytes += bytes.length;
    if (this.#failure !== undefined) throw this.#failure;
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

  async #buffer(wantedBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    // What comes in one piece needs no more; the next buffers are for what is large.
    const bytes = this.#made === 0 ? Math.min(BUFFER_BYTES, Math.max(wantedBytes, 16 * 1024)) : BUFFER_BYTES;
    if (this.#made < MOST_BUFFERS) {
      this.#made += 1;
      return new Uint8Array(bytes);
    }
    await this.#until(() => this.#free.length > 0);
    return this.#free.pop() as Uint8Array<ArrayBuffer>;
  }

  #post(): void {
    const buffer = this.#filling;
    if (buffer === undefined || this.#failure !== undefined) return;
    this.#filling = undefined;
    const length = this.#filled;
    this.#filled = 0;
    this.#channel.send({ type: "write", task: this.#channel.task, buffer, length }, [buffer.buffer]);
  }

  #receive(message: FromThread): void {
    if (message.type === "sealed") this.#sealed = message.part;
    else if (message.type === "written") {
      this.#writtenBytes += message.length;
      this.#free.push(message.buffer);
    }
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
