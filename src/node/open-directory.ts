import { showBytes } from "../core/show-bytes.ts";
import { DataDirectory, type DataDirectoryOptions } from "../data/directory.ts";
import type { Room } from "../data/space.ts";
import type { NodeOptions } from "./options.ts";

/** The store is the node's from the beginning, also when there will be none. */
export async function openDirectory(
  { dataDirectory: path, cluster, store, log }: NodeOptions,
  handlers: Pick<DataDirectoryOptions, "onLost" | "onRoom">,
): Promise<DataDirectory> {
  try {
    return await DataDirectory.open({ path, cluster, warn: (message) => log.warn(message), ...handlers });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** For people: whether the data directory's disk is full. */
export function roomMessage({ freeBytes, reservedBytes, isFull }: Room): string {
  const figures = `${showBytes(freeBytes)} are free, and ${showBytes(reservedBytes)} a reserve`;
  return isFull
    ? `the disk of the data directory is full (${figures}): this node takes no new data until there is room (delete data, or use a larger disk)`
    : `there is room again on the disk of the data directory (${figures}): this node takes data again`;
}
