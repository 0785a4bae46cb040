import { DataDirectory, type DataDirectoryOptions } from "../../data/directory.ts";
import type { NodeOptions } from "../options.ts";

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
