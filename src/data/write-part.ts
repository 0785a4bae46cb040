import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, open, rm, type FileHandle } from "node:fs/promises";
import type { Sha256 } from "../core/data.ts";
import { hashHandle } from "./thread/hash-file.ts";

const BUFFER_BYTES: number = 1024 * 1024;

/** Bytes, pieces of them, or the path of a file. */
export type PartSource = Uint8Array | AsyncIterable<Uint8Array> | { readonly file: string };

export interface WrittenPart {
  /** In bytes. */
  readonly size: number;
  readonly sha256: Sha256;
}

/**
 * Writes a part that the node named, and hashes it: what a worker does before it has the node put the part in place. Holds
 * a few MiB at most. Nothing is left at `path` when it rejects.
 *
 * @example
 * ```ts
 * const { size, sha256 } = await writePart(part.path, { file: "/tmp/rows.csv" });
 * ```
 */
export async function writePart(path: string, source: PartSource): Promise<WrittenPart> {
  try {
    if ("file" in source) return await copyIn(path, source.file);
    return await writePieces(path, source instanceof Uint8Array ? slicesOf(source) : source);
  } catch (error) {
    // A file that was there before is not this one's to remove.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") await rm(path, { force: true });
    throw error;
  }
}

async function copyIn(path: string, file: string): Promise<WrittenPart> {
  if (!(await isCloned(file, path))) return writePieces(path, piecesOf(file));
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return await hashHandle(handle, { sizeHint: BUFFER_BYTES });
  } finally {
    await handle.close();
  }
}

/** Some file systems copy without copying: both files have the same blocks until one of them changes. */
async function isCloned(file: string, path: string): Promise<boolean> {
  const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants;
  return copyFile(file, path, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE).then(
    () => true,
    async (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST" || error.code === "ENOENT" || error.code === "EACCES") throw error;
      return false;
    },
  );
}

async function writePieces(
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<WrittenPart> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    const out = new Writer(handle);
    for await (const piece of pieces) await out.add(piece);
    return await out.end();
  } finally {
    await handle.close();
  }
}

/** Writes in order: small pieces together, large ones as they are. */
class Writer {
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  readonly #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #filled = 0;
  #size = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async add(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece);
    if (this.#filled + piece.length > this.#buffer.length) await this.#flush();
    if (piece.length > this.#buffer.length) return this.#write(piece);
    this.#buffer.set(piece, this.#filled);
    this.#filled += piece.length;
  }

  async end(): Promise<WrittenPart> {
    await this.#flush();
    return { size: this.#size, sha256: this.#hash.digest("hex") as Sha256 };
  }

  async #flush(): Promise<void> {
    const filled = this.#buffer.subarray(0, this.#filled);
    this.#filled = 0;
    await this.#write(filled);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, from, bytes.length - from, this.#size);
      from += bytesWritten;
      this.#size += bytesWritten;
    }
  }
}

function* slicesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 4 * BUFFER_BYTES)
    yield bytes.subarray(from, from + 4 * BUFFER_BYTES);
}

/** The pieces share one buffer: each is gone when the next is asked for. */
async function* piecesOf(file: string): AsyncGenerator<Uint8Array> {
  const handle = await open(file, constants.O_RDONLY);
  try {
    const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
