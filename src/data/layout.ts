import { constants } from "node:fs";
import { lstat, mkdir, open, readlink, realpath, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DataUrl } from "../core/data-url.ts";
import { KitchenError } from "../core/errors.ts";

/** Where the files of a data directory are. Every data url is a path below the root; what is the node's own is hidden. */
export interface Layout {
  /** A real path: no symlink in it. */
  readonly root: string;
  readonly incoming: string;
  readonly quarantine: string;
  readonly journal: string;
  readonly clusterFile: string;
  readonly lock: string;
}

/** Makes the folders of a data directory. */
export async function makeLayout(path: string): Promise<Layout> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const root = await realpath(path);
  const own = join(root, ".kitchensink");
  const layout = {
    root,
    incoming: join(own, "incoming"),
    quarantine: join(own, "quarantine"),
    journal: join(own, "replicas.jsonl"),
    clusterFile: join(own, "cluster.json"),
    lock: join(own, "lock"),
  };
  for (const folder of [own, layout.incoming, layout.quarantine])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  return layout;
}

/** Whether other users get into a directory that was there before. */
export async function isOpenToOthers({ root }: Layout): Promise<boolean> {
  return process.platform !== "win32" && ((await lstat(root)).mode & 0o077) !== 0;
}

export function pathOf({ root }: Layout, url: DataUrl): string {
  return join(root, url);
}

/**
 * Makes the folders above a data url's file, and makes sure that no symlink is on the way.
 *
 * @throws KitchenError `KS_DATA_EXISTS`: a file is where a folder must be; `KS_DATA_UNAVAILABLE`: a symlink is on the way
 */
export async function makeParents(layout: Layout, url: DataUrl): Promise<void> {
  const parent = dirname(pathOf(layout, url));
  if (await isRealFolder(parent)) return;
  let folder = layout.root;
  for (const name of url.split("/").slice(0, -1)) {
    const above = folder;
    folder = join(folder, name);
    const isMade = await mkdir(folder, { mode: 0o700 }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false;
        throw error;
      },
    );
    if (isMade) await syncFolder(above);
    else await checkFolder(folder, url);
  }
}

/** Makes sure that no symlink is on the way to a data url's file. @throws KitchenError `KS_DATA_UNAVAILABLE` */
export async function checkParents(layout: Layout, url: DataUrl): Promise<void> {
  const parent = dirname(pathOf(layout, url));
  // Whether it is a folder is found out by whoever looks into it.
  if (await isReal(parent)) return;
  let folder = layout.root;
  for (const name of url.split("/").slice(0, -1)) {
    folder = join(folder, name);
    await checkFolder(folder, url);
  }
}

/**
 * Makes sure that no symlink was on the way when a file was opened: whoever puts one there and takes it away again is found
 * out, because the open file itself is asked where it is. @throws KitchenError `KS_DATA_UNAVAILABLE`
 */
export async function checkOpened(
  layout: Layout,
  url: DataUrl,
  { fd }: { readonly fd: number },
): Promise<void> {
  const path = pathOf(layout, url);
  // Linux alone tells; elsewhere the way is looked at.
  const place = await readlink(`/proc/self/fd/${fd}`).catch(() => realpath(path));
  if (place === path || place === `${path} (deleted)`) return;
  await checkParents(layout, url);
  throw new KitchenError(
    "KS_DATA_UNAVAILABLE",
    `Cannot read "${url}": what lies there was exchanged just now`,
  );
}

/** Removes the folders above a file as far as they are empty. */
export async function removeEmptyParents(layout: Layout, url: DataUrl): Promise<void> {
  let folder = dirname(pathOf(layout, url));
  while (folder !== layout.root) {
    try {
      await rmdir(folder);
    } catch {
      return;
    }
    folder = dirname(folder);
  }
}

/** Has a folder's names survive a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems have no such thing, and need none.
    if (!["EINVAL", "ENOTSUP", "EPERM", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      throw error;
  } finally {
    await handle.close();
  }
}

async function isRealFolder(path: string): Promise<boolean> {
  try {
    return (await isReal(path)) && (await lstat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Whether no symlink is on the way to what is there. */
async function isReal(path: string): Promise<boolean> {
  return await realpath(path).then(
    (real) => real === path,
    () => false,
  );
}

async function checkFolder(folder: string, url: DataUrl): Promise<void> {
  const stats = await lstat(folder);
  if (stats.isDirectory()) return;
  if (stats.isSymbolicLink())
    throw new KitchenError(
      "KS_DATA_UNAVAILABLE",
      `Cannot keep or read data as "${url}": ${folder} is a symbolic link, and a data directory follows none ` +
        "(put a folder there, or use another data url)",
    );
  throw new KitchenError(
    "KS_DATA_EXISTS",
    `Cannot save data as "${url}": ${folder} is a file, not a folder (use another data url)`,
  );
}
