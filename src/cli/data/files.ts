/** Files of this machine, as commands read and write them. */
import { rmSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Writable } from "node:stream";
import { KitchenError } from "../../core/errors.ts";

/**
 * Gives `work` a path that is removed when it is done, or when the process exits before; what `work` has moved elsewhere
 * stays.
 */
export async function withTemporary<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await work(path);
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/** The same pieces; `onBytes` is told how many bytes there have been. */
export async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    yield piece;
    bytes += piece.length;
    onBytes(bytes);
  }
}

/** What went wrong with a file while it was read or written; what is about anything else is given back. */
function fileError(what: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !("syscall" in cause)) return cause;
  return new KitchenError("KS_DATA_UNAVAILABLE", `${what}: ${cause.message}`, { cause });
}

/** What is at a path, links followed; undefined: nothing. @throws KitchenError `KS_USAGE` when that cannot be told */
export async function kindOf(path: string): Promise<"file" | "directory" | "device" | "other" | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isFile()) return "file";
    if (stats.isDirectory()) return "directory";
    return stats.isCharacterDevice() ? "device" : "other";
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new KitchenError("KS_USAGE", `Cannot look at ${path}: ${message.split(",")[0]}`, { cause });
  }
}

/** Opens a file for `work` to write; nothing is open any more when it is done. @throws KitchenError `KS_DATA_UNAVAILABLE` */
export async function writing<T>(
  path: string,
  { flags, work }: { readonly flags: "w" | "wx"; readonly work: (target: Writable) => Promise<T> },
): Promise<T> {
  const file = await open(path, flags).catch((cause: unknown) => {
    throw fileError(`Cannot write ${path}`, cause);
  });
  try {
    return await work(file.createWriteStream());
  } catch (error) {
    throw fileError(`Cannot write ${path}`, error);
  } finally {
    await file.close();
  }
}
