import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Sha256 } from "../../core/data.ts";
import type { HashedFile } from "./messages.ts";

const PIECE_BYTES: number = 1024 * 1024;

/** Hashes a regular file that is no symlink, reading ahead by one piece. Rejects when `signal` is aborted. */
export async function hashFile(path: string, signal: AbortSignal): Promise<HashedFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const before = await handle.stat();
    const { size, sha256 } = await hashHandle(handle, { sizeHint: before.size, signal });
    const after = await handle.stat();
    const isChanging = size !== before.size || size !== after.size || before.mtimeMs !== after.mtimeMs;
    return { size, sha256, isChanging };
  } finally {
    await handle.close();
  }
}

interface HashOptions {
  readonly sizeHint: number;
  readonly signal?: AbortSignal | undefined;
}

/** Hashes what a descriptor reads from its beginning to its end. */
export async function hashHandle(
  handle: FileHandle,
  { sizeHint, signal }: HashOptions,
): Promise<{ size: number; sha256: Sha256 }> {
  const pieceBytes = Math.max(1, Math.min(PIECE_BYTES, sizeHint));
  let [current, next] = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(pieceBytes)];
  const hash = createHash("sha256");
  let size = 0;
  let { bytesRead } = await handle.read(current, 0, pieceBytes, 0);
  while (bytesRead > 0) {
    signal?.throwIfAborted();
    size += bytesRead;
    const ahead = handle.read(next, 0, pieceBytes, size);
    hash.update(current.subarray(0, bytesRead));
    ({ bytesRead } = await ahead);
    [current, next] = [next, current];
  }
  return { size, sha256: hash.digest("hex") as Sha256 };
}
