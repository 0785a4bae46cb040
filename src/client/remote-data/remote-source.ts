/** What a RemoteData was made from in this process, and the forms into which that can be turned. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { capture } from "../../capture/capture.ts";
import { CLOSURE_CODEC, codecNamed } from "../../codec/codec.ts";
import type { DataType } from "../../core/data.ts";
import { KitchenError } from "../../core/errors.ts";
import type { ByteRange, DataContent } from "./data-access.ts";
import { cannotRead } from "./data-hash.ts";
import { READ_ONLY, temporaryFile } from "./temporary-files.ts";

export type Source =
  | { readonly type: "object"; readonly value: unknown }
  | { readonly type: "file"; readonly path: string }
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  /** Nothing is here: the data is on the cluster. */
  | { readonly type: "saved" };

const PIECE_BYTES = 1024 * 1024;

/** `object` for what a codec turned into bytes. A file stays one, whatever may be read from it. */
export function typeOf(source: Source, codec: string | undefined): DataType {
  if (source.type === "object") return "object";
  return source.type === "bytes" && codec !== undefined ? "object" : "file";
}

/** What is to be saved; an object as it is now. @throws KitchenError `KS_CANNOT_CAPTURE`, `KS_CANNOT_ENCODE` … */
export function contentOf(source: Source, codec: string | undefined): DataContent {
  if (source.type === "file") return source;
  return { type: "bytes", bytes: heldBytes(source, codec) };
}

export async function bytesOf(source: Source, codec: string | undefined): Promise<Uint8Array> {
  if (source.type === "file") return await readFile(source.path).catch(cannotRead(source.path));
  return heldBytes(source, codec);
}

/** The path of a file with the bytes. */
export async function fileOf(source: Source, codec: string | undefined): Promise<string> {
  if (source.type === "file") return source.path;
  const bytes = heldBytes(source, codec);
  const key = createHash("sha256").update(bytes).digest("hex");
  return await temporaryFile(key, "data", (path) => writeFile(path, bytes, { flag: "wx", mode: READ_ONLY }));
}

export async function* piecesOf(
  source: Source,
  codec: string | undefined,
  { start = 0, end = Infinity, signal }: ByteRange & { readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  if (source.type === "file") {
    if (end <= start) return;
    const range = { start, end: end - 1, highWaterMark: PIECE_BYTES };
    yield* createReadStream(source.path, { ...range, ...(signal === undefined ? {} : { signal }) });
    return;
  }
  const bytes = heldBytes(source, codec).subarray(start, end);
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

function heldBytes(source: Source, codec = CLOSURE_CODEC): Uint8Array {
  if (source.type === "bytes") return source.bytes;
  if (source.type !== "object") throw new KitchenError("KS_INTERNAL", "There are no bytes here");
  const { value } = source;
  return codec === CLOSURE_CODEC
    ? capture(value, { rootName: "obj" })
    : codecNamed(codec).encode(value, "obj");
}
