import { showBytes } from "../../core/show-bytes.ts";
import type { Room } from "../../data/space.ts";

/** What the log says when the data directory's disk has got full, or there is room again. */
export function roomNews({ freeBytes, reservedBytes, isFull }: Room): string {
  const figures = `${showBytes(freeBytes)} are free, and ${showBytes(reservedBytes)} a reserve`;
  return isFull
    ? `the disk of the data directory is full (${figures}): this node takes no new data until there is room (delete data, or use a larger disk)`
    : `there is room again on the disk of the data directory (${figures}): this node takes data again`;
}
