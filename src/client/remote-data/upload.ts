import { randomUUID } from "node:crypto";
import type { ClientRequest } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { KitchenError } from "../../core/errors.ts";
import type { SaveRequest } from "./data-access.ts";
import { parseDataInfo, type DataInfo } from "./data-info.ts";
import { isPassing, pathOfData } from "./download.ts";
import { checked, type Http, type StreamedBody } from "../connection/http.ts";
import { SentHash, type UploadSource } from "./upload-source.ts";

/** In a row without a byte between them. */
const MOST_TRIES = 5;
const FIRST_PAUSE_MS = 100;
const SMALL_BYTES: number = 64 * 1024;
/** A node that has all bytes may take long to bring them to its disk. */
const SILENCE_MS = 300_000;
const GIVE_UP_MS = 1_000;

/**
 * Sends data to a node. A connection that breaks is made again, and the sending goes on where the node has it.
 *
 * @throws KitchenError `KS_DATA_EXISTS`, `KS_UNAVAILABLE`, `KS_USAGE` when the file changed meanwhile or cannot be read …;
 *   and what `onProgress` throws
 */
export async function upload(http: Http, source: UploadSource, request: SaveRequest): Promise<DataInfo> {
  const id = randomUUID();
  const hash = new SentHash();
  let offset = 0;
  let tries = 0;
  for (;;) {
    try {
      return await put(http, request, { id, source, hash, offset });
    } catch (error) {
      if (request.signal?.aborted === true) await giveUp(http, id);
      if (!isWorthwhile(error, tries)) throw error;
      const before = offset;
      tries += 1;
      await wait(tries, request.signal);
      offset = (await receivedOf(http, id, request.signal)) ?? offset;
      if (offset > before) tries = 0;
      if (tries >= MOST_TRIES) throw error;
    }
  }
}

interface Sending {
  readonly id: string;
  readonly source: UploadSource;
  readonly hash: SentHash;
  readonly offset: number;
}

async function put(http: Http, request: SaveRequest, sending: Sending): Promise<DataInfo> {
  const { url, node, codec, type, signal } = request;
  const { id, offset, source } = sending;
  const { headers, body } = await bodyOf(sending, request);
  const response = await http.fetch({
    method: "PUT",
    path: pathOfData(url) + (node === undefined ? "" : `?node=${encodeURIComponent(node)}`),
    type: "application/octet-stream",
    headers: {
      ...(codec === null ? {} : { "kitchensink-codec": codec }),
      "kitchensink-type": type,
      "kitchensink-upload": id,
      "upload-length": String(source.size),
      ...(offset === 0 ? {} : { "upload-offset": String(offset) }),
      ...headers,
    },
    body,
    signal,
    silenceMs: SILENCE_MS,
  });
  return parseDataInfo(JSON.parse(checked(response, http.url).body.toString("utf8")));
}

/** What is small goes in one piece, behind its hash; of all else the hash is found on the way, and sent behind it. */
async function bodyOf(
  sending: Sending,
  { onProgress }: SaveRequest,
): Promise<{ readonly headers: Record<string, string>; readonly body: Uint8Array | StreamedBody }> {
  const { source, hash, offset } = sending;
  const { size } = source;
  const report = (bytes: number): void => onProgress?.({ bytes, totalBytes: size });
  const bytes = size === 0 ? new Uint8Array() : size <= SMALL_BYTES ? await source.piece(0) : undefined;
  if (bytes?.length !== size)
    return { headers: { trailer: "repr-digest" }, body: { writeTo: (to) => writeAll(to, sending, report) } };
  hash.add(0, bytes);
  report(size);
  return { headers: { "repr-digest": digestOf(hash) }, body: bytes.subarray(offset) };
}

/** One piece is on its way while the next is read and the last one is hashed. */
async function writeAll(
  to: ClientRequest,
  { source, hash, offset }: Sending,
  report: (bytes: number) => void,
): Promise<void> {
  let last: Promise<boolean> = Promise.resolve(true);
  for (let at = offset; at < source.size;) {
    const piece = await source.piece(at);
    const before = last;
    last = written(to, piece);
    hash.add(at, piece);
    if (!(await before)) return;
    at += piece.length;
    report(at);
  }
  if (await last) to.addTrailers({ "repr-digest": digestOf(hash) });
}

/** Resolves when the system has taken the bytes; with `false` when the connection is gone. */
function written(to: ClientRequest, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const closed = (): void => resolve(false);
    if (to.destroyed) return closed();
    to.once("close", closed);
    to.write(bytes, (error) => {
      to.off("close", closed);
      resolve(error == null);
    });
  });
}

function digestOf(hash: SentHash): string {
  return `sha-256=:${Buffer.from(hash.sha256(), "hex").toString("base64")}:`;
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
