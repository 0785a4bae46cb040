import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What nobody writes to. */
export const READ_ONLY = 0o400;

let directory: string | undefined;
const arriving = new Map<string, Promise<string>>();
/** By key and name. */
const paths = new Map<string, string>();
const made = new Set<string>();
/** How many files there are of a name, each in another folder. */
const namesakes = new Map<string, number>();

/**
 * The path of a file that `write` makes, once for each key and name; it stays until the process exits. Nobody writes to
 * it: all who ask for the same get the same file.
 *
 * @param write is given the path of a new file, to be made {@link READ_ONLY}; when it rejects, nothing is kept
 */
export function temporaryFile(
  key: string,
  name: string,
  write: (path: string) => Promise<void>,
): Promise<string> {
  const path = pathFor(key, name);
  const known = arriving.get(path);
  if (known !== undefined) return known;
  const making = make(path, write).finally(() => arriving.delete(path));
  arriving.set(path, making);
  return making;
}

/** Files share folders unless they have one name: to make a folder costs more than to make a small file. */
function pathFor(key: string, name: string): string {
  const id = `${key}/${name}`;
  const known = paths.get(id);
  if (known !== undefined) return known;
  // Some file systems have one name for both.
  const sameName = name.toLowerCase();
  const folder = namesakes.get(sameName) ?? 0;
  namesakes.set(sameName, folder + 1);
  const path = join(ownDirectory(), String(folder), name);
  paths.set(id, path);
  return path;
}

async function make(path: string, write: (path: string) => Promise<void>): Promise<string> {
  // The directory is this process's own, so there is nothing that it did not make; but others may tidy up.
  if (made.has(path) && (await exists(path))) return path;
  const folder = join(path, "..");
  const unfinished = join(folder, `.${randomUUID()}`);
  if (!made.has(folder)) await mkdir(folder, { recursive: true });
  made.add(folder);
  try {
    await write(unfinished);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  made.add(path);
  return path;
}

export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Of this process alone: others cannot look into it. A process that is killed by a signal leaves it behind. */
function ownDirectory(): string {
  if (directory !== undefined) return directory;
  const own = mkdtempSync(join(tmpdir(), "kitchensink-files-"));
  process.once("exit", () => rmSync(own, { recursive: true, force: true }));
  directory = own;
  return own;
}
