import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { access, chmod, mkdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

let directory: string | undefined;
const arriving = new Map<string, Promise<string>>();

/**
 * The path of a file that `write` makes, once for each key and name; it stays until the process exits. Nobody writes to
 * it: all who ask for the same get the same file.
 *
 * @param write is given the path of a new file; when it rejects, nothing is kept
 */
export function temporaryFile(
  key: string,
  name: string,
  write: (path: string) => Promise<void>,
): Promise<string> {
  const path = join(ownDirectory(), key, name);
  const known = arriving.get(path);
  if (known !== undefined) return known;
  const made = make(path, write).finally(() => arriving.delete(path));
  arriving.set(path, made);
  return made;
}

async function make(path: string, write: (path: string) => Promise<void>): Promise<string> {
  if (await exists(path)) return path;
  const folder = join(path, "..");
  const unfinished = join(folder, `.${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    await write(unfinished);
    await chmod(unfinished, 0o400);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  return path;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Of this process alone: others cannot look into it. A process that is killed by a signal leaves it behind. */
function ownDirectory(): string {
  if (directory !== undefined) return directory;
  const made = mkdtempSync(join(tmpdir(), "kitchensink-files-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  directory = made;
  return made;
}
