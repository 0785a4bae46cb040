import { statfs } from "node:fs/promises";
import { KitchenError } from "../core/errors.ts";
import { isDiskFull, storageError } from "./storage-error.ts";

/** What is left to others on the disk: the larger of the two. */
const RESERVE_BYTES: number = 64 * 1024 * 1024;
const RESERVE_SHARE = 0.01;

/** The room on a data directory's disk. */
export class Space {
  readonly #root: string;
  /** What arrivals under way still need. */
  readonly #promisedBytes: () => number;

  constructor(root: string, promisedBytes: () => number) {
    this.#root = root;
    this.#promisedBytes = promisedBytes;
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#root);
    return bavail * bsize;
  }

  /** Makes sure that `bytes` more have room beside what is promised. @throws KitchenError `KS_DATA_UNAVAILABLE` */
  async check(bytes: number, what: string): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#root);
    const reserved = Math.max(RESERVE_BYTES, Math.ceil(blocks * bsize * RESERVE_SHARE));
    const needed = bytes + this.#promisedBytes() + reserved;
    const free = bavail * bsize;
    if (free < needed) throw full(what, { free, needed, reserved });
  }

  /** What a failure means; one of a full disk says how full it is. */
  async explain(error: unknown, what: string): Promise<KitchenError> {
    if (!isDiskFull(error)) return storageError(error, what);
    const free = await this.freeBytes();
    const promised = this.#promisedBytes();
    return full(what, { free, needed: RESERVE_BYTES + promised, reserved: RESERVE_BYTES }, error);
  }
}

interface Room {
  readonly free: number;
  readonly needed: number;
  readonly reserved: number;
}

function full(what: string, { free, needed, reserved }: Room, cause?: unknown): KitchenError {
  return new KitchenError(
    "KS_DATA_UNAVAILABLE",
    `${what}: the disk of the data directory has ${megabytes(free)} free, and ${megabytes(needed)} are needed, ` +
      `${megabytes(reserved)} of them as a reserve (delete data, or use a larger disk)`,
    { cause },
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
