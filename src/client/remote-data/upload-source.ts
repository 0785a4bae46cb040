/** What an upload sends, piece by piece, and its hash, which is found on the way. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { Sha256 } from "../../core/data.ts";
import { KitchenError } from "../../core/errors.ts";
import type { DataContent } from "./data-access.ts";
import { cannotRead, openFile } from "./data-hash.ts";

const FILE_PIECE_BYTES: number = 1024 * 1024;
/** Little enough that whoever receives has something to do while the next piece is hashed. */
const BYTES_PIECE_BYTES: number = 256 * 1024;

export interface UploadSource {
  /** In bytes. */
  readonly size: number;
  /**
   * The bytes at a position, at least one. They stay as they are until the piece after the next one is asked for.
   * @throws KitchenError `KS_USAGE` when a file is shorter than it was, or cannot be read
   */
  piece(position: number): Promise<Uint8Array>;
}

/** Gives `use` what is to be sent, and closes it. @throws KitchenError `KS_USAGE` when the file cannot be read */
export async function withSource<T>(
  content: DataContent,
  use: (source: UploadSource) => Promise<T>,
): Promise<T> {
  if (content.type === "bytes") return await use(sourceOfBytes(content.bytes));
  const { file, size } = await openFile(content.path);
  try {
    return await use(new FileSource(file, { path: content.path, size }));
  } finally {
    await file.close();
  }
}

function sourceOfBytes(bytes: Uint8Array): UploadSource {
  return { size: bytes.length, piece: async (at) => bytes.subarray(at, at + BYTES_PIECE_BYTES) };
}

/** Sends exactly as many bytes as the file had: what more is written to it meanwhile is not sent. */
class FileSource implements UploadSource {
  readonly size: number;
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #buffers: readonly Buffer[];
  #next = 0;

  constructor(file: FileHandle, { path, size }: { path: string; size: number }) {
    this.#file = file;
    this.#path = path;
    this.size = size;
    const bytes = Math.max(1, Math.min(size, FILE_PIECE_BYTES));
    this.#buffers = [Buffer.allocUnsafeSlow(bytes), Buffer.allocUnsafeSlow(bytes)];
  }

  async piece(position: number): Promise<Uint8Array> {
    const buffer = this.#buffers[this.#next++ % 2] as Buffer;
    const wanted = Math.min(buffer.length, this.size - position);
    const reading = this.#file.read(buffer, 0, wanted, position);
    const { bytesRead } = await reading.catch(cannotRead(this.#path));
    if (bytesRead > 0) return buffer.subarray(0, bytesRead);
    throw new KitchenError(
      "KS_USAGE",
      `Cannot save ${this.#path}: it became shorter while it was sent (save it again)`,
    );
  }
}

/** The hash of all that is sent, each byte counted once however often it has to be sent. */
export class SentHash {
  readonly #hash = createHash("sha256");
  #hashedBytes = 0;

  add(position: number, piece: Uint8Array): void {
    const known = Math.max(0, this.#hashedBytes - position);
    if (known >= piece.length) return;
    this.#hash.update(piece.subarray(known));
    this.#hashedBytes = position + piece.length;
  }

  /** Of what was added so far. */
  sha256(): Sha256 {
    return this.#hash.copy().digest("hex") as Sha256;
  }
}
