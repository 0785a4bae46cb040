import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { parseDataType, parseSha256, type DataFacts } from "../core/data.ts";
import type { DataUrl } from "../core/data-url.ts";
import { KitchenError } from "../core/errors.ts";
import type { ByteRange } from "./data-access.ts";
import { checked, type Http } from "./http.ts";
import { malformed } from "./reader.ts";

/** In a row without a byte between them. */
const MOST_TRIES = 5;
const FIRST_PAUSE_MS = 100;
const SILENCE_MS = 60_000;

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
  readonly #isWhole: boolean;
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
    this.#isWhole = start === 0 && this.#end === facts.size;
  }

  async *read(first: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
    const hash = this.#isWhole ? createHash("sha256") : undefined;
    let response = first;
    for (let tries = 0; ;) {
      const before = this.#at;
      let lost: unknown;
      // Not in a for…of loop: an error of whoever reads this is no broken connection.
      const pieces = this.#http.reading(response, this.#signal);
      try {
        for (;;) {
          const next = await pieces.next().catch((error: unknown) => void (lost = error));
          if (next === undefined || next.done === true) break;
          const piece = next.value.subarray(0, this.#end - this.#at);
          this.#at += piece.length;
          hash?.update(piece);
          yield piece;
        }
      } finally {
        await pieces.return();
      }
      if (this.#at >= this.#end) break;
      tries = this.#at > before ? 1 : tries + 1;
      [response, tries] = await this.#again(lost, tries);
    }
    this.#check(hash?.digest("hex"));
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

  #check(sha256: string | undefined): void {
    const { url, sha256: expected } = this.#facts;
    if (sha256 === undefined || sha256 === expected) return;
    throw new KitchenError(
      "KS_DATA_LOST",
      `Cannot read ${url}: its bytes arrived damaged, with sha256 ${sha256} instead of ${expected} (read it again)`,
    );
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
  return (
    error instanceof KitchenError && (error.code === "KS_UNAVAILABLE" || error.code === "KS_DATA_UNAVAILABLE")
  );
}
