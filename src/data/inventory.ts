import { lstat } from "node:fs/promises";
import { KitchenError } from "../core/errors.ts";
import { checkParents, pathOf, type Layout } from "./layout.ts";
import type { Entry } from "./journal.ts";
import { inParallel } from "./in-parallel.ts";
import type { Loss, Replica } from "./types.ts";

const AT_A_TIME = 16;

/** What a look at the files tells of a journal. */
export interface Inventory {
  readonly sound: readonly Replica[];
  /** Something touched them: only their hash can tell. */
  readonly doubtful: readonly Replica[];
  readonly lost: readonly Loss[];
}

/** Compares each replica with its file: a regular one, of its size, untouched since it was put there. */
export async function takeInventory(layout: Layout, entries: Iterable<Entry>): Promise<Inventory> {
  const sound: Replica[] = [];
  const doubtful: Replica[] = [];
  const lost: Loss[] = [];
  await inParallel(entries, AT_A_TIME, async (entry) => {
    const { replica } = entry;
    const look = await lookAt(layout, entry);
    if (look === "sound") sound.push(replica);
    else if (look === "doubtful") doubtful.push(replica);
    else lost.push({ replica, reason: look.reason });
  });
  return { sound, doubtful, lost };
}

async function lookAt(
  layout: Layout,
  { replica, mtimeMs, ctimeMs }: Entry,
): Promise<"sound" | "doubtful" | { reason: string }> {
  const { url, size } = replica;
  try {
    await checkParents(layout, url);
    const stats = await lstat(pathOf(layout, url));
    if (!stats.isFile()) return { reason: "something that is no file is in its place" };
    if (stats.size !== size) return { reason: `its file has ${stats.size} bytes instead of ${size}` };
    return stats.mtimeMs === mtimeMs && stats.ctimeMs === ctimeMs ? "sound" : "doubtful";
  } catch (error) {
    if (error instanceof KitchenError) return { reason: error.message };
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { reason: "its file is missing" };
    // A disk that cannot be looked at says nothing of the data: better not to open than to give it up.
    throw error;
  }
}
