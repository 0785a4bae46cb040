import { lstat } from "node:fs/promises";
import type { DataUrl } from "../core/data-url.ts";
import { KitchenError } from "../core/errors.ts";
import { checkParents, pathOf, type Layout } from "./layout.ts";
import type { Entry } from "./journal.ts";
import { inParallel } from "./in-parallel.ts";
import type { Loss } from "./types.ts";

const AT_A_TIME = 16;

/** What a look at the files tells of a journal. */
export interface Inventory {
  /** Something touched them: only their hash can tell. */
  readonly doubtful: readonly DataUrl[];
  readonly lost: readonly { readonly entry: Entry; readonly fault: Fault }[];
}

/** What is wrong with a file. */
export type Fault = Omit<Loss, "replica">;

/** Compares each replica with its file: a regular one, of its size, untouched since it was put there. */
export async function takeInventory(layout: Layout, entries: Iterable<Entry>): Promise<Inventory> {
  const doubtful: DataUrl[] = [];
  const lost: { entry: Entry; fault: Fault }[] = [];
  await inParallel(entries, AT_A_TIME, async (entry) => {
    const look = await lookAt(layout, entry);
    if (look === "doubtful") doubtful.push(entry.replica.url);
    else if (look !== "sound") lost.push({ entry, fault: look });
  });
  return { doubtful, lost };
}

/** What size and times tell of a file. @throws when the disk cannot be looked at, which says nothing of the data */
export async function lookAt(
  layout: Layout,
  { replica, mtimeMs, ctimeMs }: Entry,
): Promise<"sound" | "doubtful" | Fault> {
  const { url, size } = replica;
  try {
    await checkParents(layout, url);
    const stats = await lstat(pathOf(layout, url));
    if (!stats.isFile()) return damaged("something that is no file is in its place");
    if (stats.size !== size) return damaged(`its file has ${stats.size} bytes instead of ${size}`);
    return stats.mtimeMs === mtimeMs && stats.ctimeMs === ctimeMs ? "sound" : "doubtful";
  } catch (error) {
    if (error instanceof KitchenError) return damaged(error.message);
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { reason: "its file is missing", isDamaged: false };
    throw error;
  }
}

function damaged(reason: string): Fault {
  return { reason, isDamaged: true };
}
