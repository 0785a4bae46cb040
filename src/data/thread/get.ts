import { connect, type Socket } from "node:net";
import type { Source } from "./messages.ts";
import { checkHead, HeadReader } from "./response-head.ts";

const CONNECT_MS = 2_000;

/** All connections read into it: what arrives is written and hashed before the next read. */
const buffer = Buffer.allocUnsafeSlow(1024 * 1024);

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
  /** Takes what arrived; the bytes are gone when it returns. What it throws ends the transfer, and is thrown. */
  readonly onBytes: (bytes: Uint8Array) => void;
}

/** Gets a file from `offset` to its end, by HTTP/1.1. Resolves with why the source failed, or `undefined` when all came. */
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
  /** Bytes of the body to leave out; `undefined` until the head has come. */
  #skip: number | undefined;
  #position: number;

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
    const { hostname, port } = source;
    this.#timer = setTimeout(() => this.#fail(`cannot be connected within ${CONNECT_MS} ms`), CONNECT_MS);
    const socket = connect({
      host: hostname,
      port,
      noDelay: true,
      onread: { buffer, callback: (length) => this.#read(length) },
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
    this.#timer = setTimeout(() => {
      if (this.#reads !== reads) this.#watch();
      else
        setImmediate(() =>
          this.#reads === reads ? this.#fail(`sent nothing for ${idleMs} ms`) : this.#watch(),
        );
    }, idleMs);
  }

  #read(length: number): boolean {
    if (this.#socket === undefined) return false;
    this.#reads += 1;
    try {
      this.#take(buffer.subarray(0, length));
    } catch (error) {
      this.#settle(() => this.#reject(error));
    }
    return true;
  }

  #take(piece: Uint8Array): void {
    let body = piece;
    if (this.#skip === undefined) {
      const consumed = this.#takeHead(piece);
      if (consumed === undefined) return;
      body = piece.subarray(consumed);
    }
    const skipped = Math.min(this.#skip ?? 0, body.length);
    this.#skip = (this.#skip ?? 0) - skipped;
    const wanted = body.subarray(skipped, skipped + this.#options.size - this.#position);
    if (wanted.length > 0) this.#options.onBytes(wanted);
    this.#position += wanted.length;
    if (this.#position === this.#options.size) this.#settle(() => this.#resolve(undefined));
  }

  #takeHead(piece: Uint8Array): number | undefined {
    try {
      const read = this.#head.push(piece);
      if (read !== undefined) this.#skip = checkHead(read.head, this.#options);
      return read?.consumed;
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
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
