import { connect, type Socket } from "node:net";
import { messageOf } from "../core/errors.ts";
import { checkHead, HeadReader } from "./response-head.ts";
import type { Source } from "./source.ts";

const CONNECT_MS = 2_000;

/** What comes before a body, and the beginning of that, is read into it by all connections. */
const headBuffer = Buffer.allocUnsafeSlow(64 * 1024);
/** Made when it is needed: one for all connections, for what came is taken before the next read. */
let sharedBuffer: Buffer | undefined;

export interface GetOptions {
  readonly source: Source;
  readonly headers: string;
  /** Where to go on. */
  readonly offset: number;
  /** Of the whole, in bytes. */
  readonly size: number;
  readonly sha256: string;
  readonly idleMs: number;
  readonly signal: AbortSignal;
  /** Where the bytes from a position on are to go: room for at least one. Default: a buffer that all share. */
  readonly into?: ((position: number) => Uint8Array) | undefined;
  /**
   * Takes what arrived. When it gives a promise, nothing more is read until that settles. What it throws ends the transfer,
   * and is thrown.
   */
  readonly onBytes: (bytes: Uint8Array) => void | Promise<void>;
}

/**
 * Gets a file from `offset` to its end, by HTTP/1.1 on a socket of its own: a quarter of the CPU time that an HTTP client
 * takes. Resolves with why the source failed, or `undefined` when all came.
 */
export function get(options: GetOptions): Promise<string | undefined> {
  return new Promise((resolve, reject) => new Get(options, resolve, reject).start());
}

class Get {
  readonly #options: GetOptions;
  readonly #resolve: (failure: string | undefined) => void;
  readonly #reject: (error: unknown) => void;
  readonly #head = new HeadReader();
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reads = 0;
  /** What is read into just now. */
  #buffer: Uint8Array = headBuffer;
  /** Bytes of the body to leave out; `undefined` until the head has come. */
  #skip: number | undefined;
  #position: number;
  #isPaused = false;

  constructor(
    options: GetOptions,
    resolve: (failure: string | undefined) => void,
    reject: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#position = options.offset;
  }

  start(): void {
    const { source, signal } = this.#options;
    if (signal.aborted) return this.#reject(signal.reason);
    const { hostname, port } = source;
    this.#timer = setTimeout(() => this.#fail(`cannot be connected within ${CONNECT_MS} ms`), CONNECT_MS);
    const socket = connect({
      host: hostname,
      port,
      noDelay: true,
      onread: { buffer: () => this.#nextBuffer(), callback: (length) => this.#read(length) },
    });
    this.#socket = socket;
    socket.once("connect", () => this.#connected(socket));
    socket.once("error", (error: NodeJS.ErrnoException) => this.#fail(reasonOf(error)));
    socket.once("close", () => this.#fail(`closed the connection after ${this.#position} bytes`));
    signal.addEventListener("abort", this.#abort, { once: true });
  }

  #connected(socket: Socket): void {
    socket.write(requestText(this.#options));
    clearTimeout(this.#timer);
    this.#watch();
  }

  /** A disk that stalls this thread must not count against the source: what waits in the socket is read first. */
  #watch(): void {
    const { idleMs } = this.#options;
    const reads = this.#reads;
    const isAlive = (): boolean => this.#reads !== reads || this.#isPaused;
    this.#timer = setTimeout(() => {
      if (isAlive()) this.#watch();
      else setImmediate(() => (isAlive() ? this.#watch() : this.#fail(`sent nothing for ${idleMs} ms`)));
    }, idleMs);
  }

  #nextBuffer(): Uint8Array {
    const isBody = this.#skip === 0 && this.#position < this.#options.size;
    this.#buffer = isBody ? this.#room() : headBuffer;
    return this.#buffer;
  }

  #room(): Uint8Array {
    const { into } = this.#options;
    return into?.(this.#position) ?? (sharedBuffer ??= Buffer.allocUnsafeSlow(1024 * 1024));
  }

  /** Whether to read on. */
  #read(length: number): boolean {
    if (this.#socket === undefined) return false;
    this.#reads += 1;
    try {
      if (this.#buffer === headBuffer) this.#takeFirst(headBuffer.subarray(0, length));
      else this.#give(this.#buffer.subarray(0, length));
    } catch (error) {
      this.#settle(() => this.#reject(error));
    }
    return !this.#isPaused;
  }

  /** Takes the head, and what came right behind it to where it belongs. */
  #takeFirst(piece: Uint8Array): void {
    let body = piece;
    if (this.#skip === undefined) {
      const consumed = this.#takeHead(piece);
      if (consumed === undefined) return;
      body = piece.subarray(consumed);
    }
    const skipped = Math.min(this.#skip ?? 0, body.length);
    this.#skip = (this.#skip ?? 0) - skipped;
    for (let rest = body.subarray(skipped); rest.length > 0 && this.#position < this.#options.size;) {
      const room = this.#room().subarray(0, rest.length);
      room.set(rest.subarray(0, room.length));
      rest = rest.subarray(room.length);
      this.#give(room);
    }
  }

  #give(bytes: Uint8Array): void {
    const { size, onBytes } = this.#options;
    const wanted = bytes.subarray(0, size - this.#position);
    this.#position += wanted.length;
    const taken = onBytes(wanted);
    if (taken !== undefined) void this.#pauseFor(taken);
    else if (this.#position === size) this.#settle(() => this.#resolve(undefined));
  }

  async #pauseFor(taken: Promise<void>): Promise<void> {
    this.#isPaused = true;
    try {
      await taken;
    } catch (error) {
      return this.#settle(() => this.#reject(error));
    }
    this.#isPaused = false;
    if (this.#position === this.#options.size) this.#settle(() => this.#resolve(undefined));
    else this.#socket?.resume();
  }

  #takeHead(piece: Uint8Array): number | undefined {
    try {
      const read = this.#head.push(piece);
      if (read !== undefined) this.#skip = checkHead(read.head, this.#options);
      return read?.consumed;
    } catch (error) {
      this.#fail(messageOf(error));
      return undefined;
    }
  }

  readonly #abort = (): void => {
    this.#settle(() => this.#reject(this.#options.signal.reason));
  };

  #fail(reason: string): void {
    this.#settle(() => this.#resolve(reason));
  }

  #settle(how: () => void): void {
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener("abort", this.#abort);
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.destroy();
    how();
  }
}

function requestText({ source, headers, offset, sha256 }: GetOptions): string {
  const range = offset > 0 ? `range: bytes=${offset}-\r\nif-range: "${sha256}"\r\n` : "";
  return (
    `GET ${source.target} HTTP/1.1\r\nhost: ${source.authority}\r\nconnection: close\r\n` +
    `accept-encoding: identity\r\n${headers}${range}\r\n`
  );
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "refused the connection";
    case "ECONNRESET":
    case "EPIPE":
      return "broke the connection off";
    default:
      return `cannot be reached (${error.code ?? error.message})`;
  }
}
