import { createHash, type Hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { parseDataType, parseSha256, type DataFacts, type Sha256 } from "../../core/data.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { ByteRange } from "./data-access.ts";
import { get } from "../../transfer/get.ts";
import { checked, type Http, isUnavailable } from "../connection/http.ts";
import { openLines } from "../connection/json-lines.ts";
import { malformed } from "../reader.ts";
import type { ByteTarget } from "./byte-targets.ts";

/** In a row without a byte between them. */
const MOST_TRIES = 5;
const FIRST_PAUSE_MS = 100;
const SILENCE_MS = 60_000;
/** What is not larger comes with the first answer, on a connection that is there already. */
const FIRST_BYTES: number = 1024 * 1024;

/** Bytes that are not those that were saved. The nodes that have them were told, and serve sound ones from now on. */
export class Damaged extends KitchenError {
  constructor({ url, sha256 }: DataFacts, came: string) {
    super(
      "KS_DATA_UNAVAILABLE",
      `Cannot read ${url}: its bytes arrived damaged, with sha256 ${came} instead of ${sha256} (read it again: the nodes that have it compare their files with the hash)`,
    );
  }
}

export interface Download {
  readonly facts: DataFacts;
  /** How much `body` gives, in bytes. */
  readonly sizeBytes: number;
  readonly body: AsyncGenerator<Buffer, void, undefined>;
}

export interface DownloadOptions extends ByteRange {
  readonly signal?: AbortSignal | undefined;
}

/** Where data is on a node. */
export function pathOfData(url: DataUrl): string {
  return `/v1/data/${url.split("/").map(encodeURIComponent).join("/")}`;
}

/** What is known of the data under a url, without its bytes. @throws KitchenError as {@link openDownload} does */
export async function factsOf(http: Http, url: DataUrl, signal?: AbortSignal): Promise<DataFacts> {
  const response = await http.open({ method: "HEAD", path: pathOfData(url), signal, silenceMs: SILENCE_MS });
  const { statusCode: status = 0 } = response;
  if (status === 200) {
    response.resume();
    return readFacts(url, response, Number(response.headers["content-length"]));
  }
  // An answer to HEAD cannot say what is wrong.
  const { facts, body } = await openDownload(http, url, { signal });
  await body.return();
  return facts;
}

/**
 * Begins to read data. A connection that breaks is made again, and the reading goes on where it was. The bytes of a
 * whole read are compared with their hash at the end.
 *
 * @throws KitchenError `KS_NO_SUCH_DATA`, `KS_DATA_UNAVAILABLE`, `KS_DATA_LOST`, `KS_UNAVAILABLE` …
 */
export async function openDownload(
  http: Http,
  url: DataUrl,
  options: DownloadOptions = {},
): Promise<Download> {
  const { start = 0, end = Infinity, signal } = options;
  const request = { method: "GET", path: pathOfData(url), signal, silenceMs: SILENCE_MS } as const;
  const isPart = start > 0 || end !== Infinity;
  const response = await http.open({ ...request, headers: isPart ? { range: rangeOf(start, end) } : {} });
  if (response.statusCode === 416) return await nothingOf(http, url, response, signal);
  if (response.statusCode !== 200 && response.statusCode !== 206) {
    checked(await http.whole(response, signal), http.url);
    throw malformed("data");
  }
  const facts = readFacts(url, response, totalOf(response));
  const part = new Part(http, facts, { start: response.statusCode === 206 ? start : 0, end, signal });
  const skipped = response.statusCode === 206 ? 0 : start;
  return { facts, sizeBytes: part.sizeBytes - skipped, body: without(skipped, part.read(response)) };
}

export interface WholeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of what the caller has already: when it is still the same, nothing is read. */
  readonly known?: Sha256 | undefined;
}

/** All bytes of data, which are still to come. */
export interface Whole {
  readonly facts: DataFacts;
  /** Resolves when they are all in the target, and have the right hash. */
  into(target: ByteTarget): Promise<void>;
  /** Leaves what is still to come; nothing happens when all has come. */
  drop(): void;
}

/**
 * Begins to read data as a whole; otherwise as {@link openDownload}. What is large comes on a socket of its own, past the
 * HTTP client, which would take twice the time. `undefined`: it is what the caller knows.
 */
export async function openWhole(
  http: Http,
  url: DataUrl,
  options?: WholeOptions & { readonly known?: undefined },
): Promise<Whole>;
export async function openWhole(http: Http, url: DataUrl, options: WholeOptions): Promise<Whole | undefined>;
export async function openWhole(
  http: Http,
  url: DataUrl,
  { signal, known }: WholeOptions = {},
): Promise<Whole | undefined> {
  const response = await http.open({
    method: "GET",
    path: pathOfData(url),
    headers: {
      range: rangeOf(0, FIRST_BYTES),
      ...(known === undefined ? {} : { "if-none-match": `"${known}"` }),
    },
    signal,
    silenceMs: SILENCE_MS,
  });
  const { statusCode: status } = response;
  if (status === 304) {
    response.resume();
    return undefined;
  }
  if (status === 416) return noBytesOf(await nothingOf(http, url, response, signal));
  if (status !== 200 && status !== 206) {
    checked(await http.whole(response, signal), http.url);
    throw malformed("data");
  }
  const facts = readFacts(url, response, totalOf(response));
  const part = new Part(http, facts, { start: 0, end: Infinity, signal });
  return {
    facts,
    into: (target) => part.into(target, response),
    drop: () => void (response.readableEnded || response.destroy()),
  };
}

/** Of no bytes, no part can be asked for. */
function noBytesOf({ facts }: Download): Whole {
  return { facts, into: async () => {}, drop: () => {} };
}

/** Data ends before the part begins. */
async function nothingOf(
  http: Http,
  url: DataUrl,
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): Promise<Download> {
  response.resume();
  const facts = await factsOf(http, url, signal);
  return { facts, sizeBytes: 0, body: (async function* () {})() };
}

/** One reading of a part of data, over as many connections as it takes. */
class Part {
  readonly sizeBytes: number;
  readonly #http: Http;
  readonly #facts: DataFacts;
  readonly #end: number;
  readonly #signal: AbortSignal | undefined;
  /** Of the whole. */
  readonly #hash: Hash | undefined;
  /** The offset of the next byte. */
  #at: number;

  constructor(
    http: Http,
    facts: DataFacts,
    options: { start: number; end: number; signal?: AbortSignal | undefined },
  ) {
    const { start, end, signal } = options;
    this.#http = http;
    this.#facts = facts;
    this.#signal = signal;
    this.#at = start;
    this.#end = Math.min(end, facts.size);
    this.sizeBytes = this.#end - start;
    this.#hash = start === 0 && this.#end === facts.size ? createHash("sha256") : undefined;
  }

  /** The bytes as they come. `lost`: why there is no answer yet, or not any more. */
  async *read(first: IncomingMessage | undefined, lost?: unknown): AsyncGenerator<Buffer, void, undefined> {
    let [response, tries] = first === undefined ? await this.#again(lost, 1) : [first, 0];
    for (;;) {
      const before = this.#at;
      const broken = yield* this.#drain(response);
      if (this.#at >= this.#end) break;
      tries = this.#at > before ? 1 : tries + 1;
      [response, tries] = await this.#again(broken, tries);
    }
    await this.#check();
  }

  /** All bytes; `first` is an answer that has at least the first of them. */
  async into(target: ByteTarget, first: IncomingMessage): Promise<void> {
    let lost = await this.#first(target, first);
    if (this.#at < this.#end && lost === undefined) lost = await this.#direct(target);
    if (this.#at === this.#end) return await this.#check();
    for await (const piece of this.read(undefined, lost)) await this.#put(target, piece);
  }

  /** What the first answer has. Gives what broke it off. */
  async #first(target: ByteTarget, response: IncomingMessage): Promise<unknown> {
    const pieces = this.#drain(response);
    try {
      for (;;) {
        const next = await pieces.next();
        if (next.done === true) return next.value;
        await this.#put(target, next.value);
      }
    } finally {
      await pieces.return(undefined);
    }
  }

  /** Puts bytes that were just taken where they belong. */
  async #put(target: ByteTarget, piece: Uint8Array): Promise<void> {
    for (let rest = piece; rest.length > 0;) {
      const room = target.room(this.#at - rest.length).subarray(0, rest.length);
      room.set(rest.subarray(0, room.length));
      rest = rest.subarray(room.length);
      await target.take(room);
    }
  }

  /** What an answer has. Gives what broke it off. */
  async *#drain(response: IncomingMessage): AsyncGenerator<Buffer, unknown, undefined> {
    // Not in a for…of loop: an error of whoever reads this is no broken connection.
    const pieces = this.#http.reading(response, this.#signal);
    let lost: unknown;
    try {
      for (;;) {
        const next = await pieces.next().catch((error: unknown) => void (lost = error));
        if (next === undefined || next.done === true) return lost;
        const piece = next.value.subarray(0, this.#end - this.#at);
        this.#took(piece);
        yield piece;
      }
    } finally {
      await pieces.return();
    }
  }

  /** The rest, on a socket of its own. Gives why it broke off. */
  async #direct(target: ByteTarget): Promise<unknown> {
    const direct = this.#http.direct(pathOfData(this.#facts.url), this.#signal);
    if (direct === undefined) return undefined;
    const failure = await get({
      ...direct,
      offset: this.#at,
      size: this.#end,
      sha256: this.#facts.sha256,
      idleMs: SILENCE_MS,
      into: (position) => target.room(position),
      onBytes: (bytes) => {
        this.#took(bytes);
        return target.take(bytes);
      },
    });
    return failure === undefined ? undefined : new KitchenError("KS_UNAVAILABLE", `the node ${failure}`);
  }

  #took(piece: Uint8Array): void {
    this.#at += piece.length;
    this.#hash?.update(piece);
  }

  /** The answer that goes on where the last one broke off, and how many tries have been in vain by then. */
  async #again(lost: unknown, tries: number): Promise<[IncomingMessage, number]> {
    let reason: unknown = lost ?? new KitchenError("KS_UNAVAILABLE", "the node ended its answer too early");
    for (let used = tries; ; used += 1) {
      if (!isPassing(reason) || used > MOST_TRIES) throw this.#broken(reason);
      await pause(FIRST_PAUSE_MS * 2 ** (used - 1), undefined, { signal: this.#signal }).catch(() => {
        throw this.#signal?.reason;
      });
      try {
        return [await this.#reopen(), used];
      } catch (error) {
        reason = error;
      }
    }
  }

  async #reopen(): Promise<IncomingMessage> {
    const { url, sha256 } = this.#facts;
    const response = await this.#http.open({
      method: "GET",
      path: pathOfData(url),
      headers: { range: rangeOf(this.#at, this.#end), "if-range": `"${sha256}"` },
      signal: this.#signal,
      silenceMs: SILENCE_MS,
    });
    const { statusCode, headers } = response;
    if (statusCode === 206 && headers["content-range"]?.startsWith(`bytes ${this.#at}-`) === true)
      return response;
    if (statusCode === 200 || statusCode === 206 || statusCode === 416) {
      response.destroy();
      throw new KitchenError(
        "KS_DATA_LOST",
        `Cannot go on reading ${url}: other data was saved under its url meanwhile (read it again)`,
      );
    }
    checked(await this.#http.whole(response, this.#signal), this.#http.url);
    throw malformed("data");
  }

  #broken(reason: unknown): unknown {
    if (!isPassing(reason) || !(reason instanceof KitchenError)) return reason;
    const { url, size } = this.#facts;
    return new KitchenError(
      reason.code,
      `Cannot read all of ${url}: it broke off after ${this.#at} of ${size} bytes: ${reason.message}`,
      { cause: reason },
    );
  }

  /** @throws Damaged once the nodes have looked whose file it is */
  async #check(): Promise<void> {
    const { url, sha256: expected } = this.#facts;
    const sha256 = this.#hash?.digest("hex");
    if (sha256 === undefined || sha256 === expected) return;
    const doubt = {
      method: "POST",
      path: "/v1/doubts",
      type: "application/json",
      body: JSON.stringify({ url }),
    } as const;
    try {
      for await (const _ of openLines(this.#http, { ...doubt, signal: this.#signal }, "done"));
    } catch {
      // Whoever reads it next will say so again.
    }
    throw new Damaged(this.#facts, sha256);
  }
}

async function* without(
  skipped: number,
  pieces: AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  let left = skipped;
  for await (const piece of pieces) {
    if (piece.length > left) yield left === 0 ? piece : piece.subarray(left);
    left = Math.max(0, left - piece.length);
  }
}

function readFacts(url: DataUrl, { headers }: IncomingMessage, size: number): DataFacts {
  if (!Number.isSafeInteger(size)) throw malformed("size of the data");
  const codec = headers["kitchensink-codec"];
  return {
    url,
    size,
    sha256: parseSha256(headers.etag?.replaceAll('"', "")),
    codec: typeof codec === "string" ? codec : null,
    type: parseDataType(headers["kitchensink-type"]),
  };
}

function totalOf({ statusCode, headers }: IncomingMessage): number {
  return Number(statusCode === 206 ? headers["content-range"]?.split("/")[1] : headers["content-length"]);
}

/** `end` is the first byte that is not meant; HTTP names the last one that is. */
function rangeOf(start: number, end: number): string {
  return `bytes=${start}-${end === Infinity ? "" : end - 1}`;
}

/** Whether trying again may help. */
export function isPassing(error: unknown): boolean {
  return isUnavailable(error) || (error instanceof KitchenError && error.code === "KS_DATA_UNAVAILABLE");
}
