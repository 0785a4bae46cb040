import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { parseSha256, type Sha256 } from "../../core/data.ts";
import { KitchenError, messageOf } from "../../core/errors.ts";

const PIECE_BYTES = 1024 * 1024;
/** Hashing so much takes some 10 ms; then others have their turn. */
const TURN_BYTES = 16 * PIECE_BYTES;

/** The sha256 of bytes. */
export async function hashOfBytes(bytes: Uint8Array): Promise<Sha256> {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += TURN_BYTES) {
    if (at > 0) await turn();
    hash.update(bytes.subarray(at, at + TURN_BYTES));
  }
  return parseSha256(hash.digest("hex"));
}

export interface HashOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes have been read. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** Size and sha256 of a local file. @throws KitchenError `KS_USAGE` when it cannot be read */
export async function hashOfFile(
  path: string,
  { signal, onProgress }: HashOptions = {},
): Promise<{ readonly size: number; readonly sha256: Sha256 }> {
  const { file } = await openFile(path);
  try {
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (let size = 0; ;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES).catch(cannotRead(path));
      if (bytesRead === 0) return { size, sha256: parseSha256(hash.digest("hex")) };
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
      onProgress?.(size);
    }
  } finally {
    await file.close();
  }
}

/** Opens a file for reading. @throws KitchenError `KS_USAGE` when it cannot be read */
export async function openFile(path: string): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const file = await open(path).catch(cannotRead(path));
  const stats = await file.stat();
  if (stats.isFile()) return { file, size: stats.size };
  await file.close();
  return cannotRead(path)("it is no regular file");
}

/** Tells of a file that cannot be read. */
export function cannotRead(path: string): (cause: unknown) => never {
  return (cause) => {
    const why = messageOf(cause);
    throw new KitchenError(
      "KS_USAGE",
      `Cannot read the file ${path}: ${why} (check its path, and who may read it)`,
      cause instanceof Error ? { cause } : {},
    );
  };
}
