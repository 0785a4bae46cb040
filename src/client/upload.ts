import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { Sha256 } from "../core/data.ts";
import { KitchenError } from "../core/errors.ts";
import type { DataContent, SaveProgress, SaveRequest } from "./data-access.ts";
import { parseDataInfo, type DataInfo } from "./data-info.ts";
import { isPassing, pathOfData } from "./download.ts";
import { checked, type Http, type StreamedBody } from "./http.ts";

/** In a row without a byte between them. */
const MOST_TRIES = 5;
const FIRST_PAUSE_MS = 100;
const PIECE_BYTES = 1024 * 1024;
/** A node that has all bytes may take long to bring them to its disk. */
const SILENCE_MS = 300_000;
const GIVE_UP_MS = 1_000;

export interface UploadOptions extends SaveRequest {
  readonly size: number;
  readonly sha256: Sha256;
}

/**
 * Sends data to a node. A connection that breaks is made again, and the sending goes on where the node has it.
 *
 * @throws KitchenError `KS_DATA_EXISTS`, `KS_UNAVAILABLE`, `KS_USAGE` when the file changed meanwhile …
 */
export async function upload(http: Http, content: DataContent, options: UploadOptions): Promise<DataInfo> {
  const id = randomUUID();
  let offset = 0;
  let tries = 0;
  for (;;) {
    try {
      return await put(http, content, { ...options, id, offset });
    } catch (error) {
      if (options.signal?.aborted === true) await giveUp(http, id);
      if (!isWorthwhile(error, tries)) throw error;
      const before = offset;
      tries += 1;
      await wait(tries, options.signal);
      offset = (await receivedOf(http, id, options.signal)) ?? offset;
      if (offset > before) tries = 0;
      if (tries >= MOST_TRIES) throw error;
    }
  }
}

async function put(
  http: Http,
  content: DataContent,
  options: UploadOptions & { readonly id: string; readonly offset: number },
): Promise<DataInfo> {
  const { url, node, codec, type, sha256, id, offset, signal } = options;
  const response = await http.fetch({
    method: "PUT",
    path: pathOfData(url) + (node === undefined ? "" : `?node=${encodeURIComponent(node)}`),
    type: "application/octet-stream",
    headers: {
      ...(codec === null ? {} : { "kitchensink-codec": codec }),
      "kitchensink-type": type,
      "kitchensink-upload": id,
      "repr-digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`,
      ...(offset === 0 ? {} : { "upload-offset": String(offset) }),
    },
    body: bodyFrom(content, options),
    signal,
    silenceMs: SILENCE_MS,
  });
  return parseDataInfo(JSON.parse(checked(response, http.url).body.toString("utf8")));
}

/** Whoever stops does not wait long: the node forgets the upload by itself after a while. */
async function giveUp(http: Http, id: string): Promise<void> {
  const signal = AbortSignal.timeout(GIVE_UP_MS);
  await http.fetch({ method: "DELETE", path: `/v1/uploads/${id}`, signal }).catch(() => {});
}

/** What the node has of an upload; undefined when it cannot be asked now. */
async function receivedOf(
  http: Http,
  id: string,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  try {
    const response = await http.open({
      method: "HEAD",
      path: `/v1/uploads/${id}`,
      signal,
      silenceMs: SILENCE_MS,
    });
    response.resume();
    if (response.statusCode === 404) return 0;
    const offset = Number(response.headers["upload-offset"]);
    return response.statusCode === 200 && Number.isSafeInteger(offset) ? offset : undefined;
  } catch (error) {
    if (!isPassing(error)) throw error;
    return undefined;
  }
}

function bodyFrom(
  content: DataContent,
  { size, offset, onProgress }: UploadOptions & { readonly offset: number },
): Uint8Array | StreamedBody {
  const report = progressOf(size, offset, onProgress);
  if (content.type === "file") {
    const stream = Readable.from(filePieces(content.path, { size, offset, report }), { objectMode: false });
    return { sizeBytes: size - offset, stream };
  }
  const bytes = content.bytes.subarray(offset);
  if (bytes.length <= PIECE_BYTES) {
    report(bytes.length);
    return bytes;
  }
  return { sizeBytes: bytes.length, stream: Readable.from(piecesOf(bytes, report), { objectMode: false }) };
}

type Report = (sentBytes: number) => void;

function progressOf(
  totalBytes: number,
  offset: number,
  onProgress: ((progress: SaveProgress) => void) | undefined,
): Report {
  let bytes = offset;
  return (sentBytes) => {
    bytes += sentBytes;
    onProgress?.({ bytes, totalBytes });
  };
}

function* piecesOf(bytes: Uint8Array, report: Report): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    yield piece;
    report(piece.length);
  }
}

/** Exactly what was hashed, in length: what more was written to the file meanwhile is not sent. */
async function* filePieces(
  path: string,
  { size, offset, report }: { size: number; offset: number; report: Report },
): AsyncGenerator<Uint8Array> {
  if (offset === size) return;
  let left = size - offset;
  for await (const chunk of createReadStream(path, {
    start: offset,
    end: size - 1,
    highWaterMark: PIECE_BYTES,
  })) {
    const piece = chunk as Buffer;
    left -= piece.length;
    yield piece;
    report(piece.length);
  }
  if (left > 0)
    throw new KitchenError(
      "KS_USAGE",
      `Cannot save ${path}: it became shorter while it was sent (save it again)`,
    );
}

/** A node that cannot be reached at all is an error at once; one that was there may come back. */
function isWorthwhile(error: unknown, tries: number): boolean {
  if (!isPassing(error)) return false;
  const { cause } = error as KitchenError;
  const isRefused =
    cause instanceof Error && "code" in cause && /^(ECONNREFUSED|ENOTFOUND)$/.test(String(cause.code));
  return tries > 0 || (cause !== undefined && !isRefused);
}

async function wait(tries: number, signal: AbortSignal | undefined): Promise<void> {
  const paused = pause(FIRST_PAUSE_MS * 2 ** (tries - 1), undefined, { signal });
  await paused.catch(() => signal?.throwIfAborted());
}
