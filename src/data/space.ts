import { statfs } from "node:fs/promises";
import { KitchenError } from "../core/errors.ts";
import { showBytes } from "../core/show-bytes.ts";
import { isDiskFull, storageError } from "./storage-error.ts";

/** What is left to others on the disk: the larger of the two. */
const RESERVE_BYTES: number = 64 * 1024 * 1024;
const RESERVE_SHARE = 0.01;
/** A disk that was full has room again when it has so much more than the reserve, so that it does not go to and fro. */
const AGAIN_SHARE = 1.1;

/** The room on a data directory's disk. */
export interface Room {
  readonly freeBytes: number;
  /** What is left to others. */
  readonly reservedBytes: number;
  /** Nothing but the reserve is left. */
  readonly isFull: boolean;
}

export interface SpaceOptions {
  readonly root: string;
  /** What arrivals under way still need. */
  readonly promisedBytes: () => number;
  /** Told when it has got full, and when there is room again. */
  readonly onChange: (room: Room) => void;
}

/** Looks at the room on a data directory's disk. */
export class Space {
  readonly #options: SpaceOptions;
  #room: Room;

  private constructor(options: SpaceOptions, room: Room) {
    this.#options = options;
    this.#room = room;
  }

  /** With a first look. */
  static async open(options: SpaceOptions): Promise<Space> {
    return new Space(options, await lookAt(options.root, false));
  }

  /** As of the last look. */
  get room(): Room {
    return this.#room;
  }

  async look(): Promise<Room> {
    const room = await lookAt(this.#options.root, this.#room.isFull);
    const hasChanged = room.isFull !== this.#room.isFull;
    this.#room = room;
    if (hasChanged) this.#options.onChange(room);
    return room;
  }

  async hasRoomFor(bytes: number): Promise<boolean> {
    const { freeBytes, isFull } = await this.look();
    return !isFull && freeBytes >= this.#needed(bytes);
  }

  /** Makes sure that `bytes` more have room beside what is promised. @throws KitchenError `KS_DATA_UNAVAILABLE` */
  async check(bytes: number, what: string): Promise<void> {
    if (!(await this.hasRoomFor(bytes))) throw this.#full(bytes, what);
  }

  /** What a failure means; one of a full disk says how full it is, and what `bytes` more would have needed. */
  async explain(error: unknown, what: string, bytes = 0): Promise<KitchenError> {
    if (!isDiskFull(error)) return storageError(error, what);
    await this.look();
    return this.#full(bytes, what, error);
  }

  #needed(bytes: number): number {
    return bytes + this.#options.promisedBytes() + this.#room.reservedBytes;
  }

  #full(bytes: number, what: string, cause?: unknown): KitchenError {
    const { freeBytes, reservedBytes } = this.#room;
    return new KitchenError(
      "KS_DATA_UNAVAILABLE",
      `${what}: the disk of the data directory has ${showBytes(freeBytes)} free, and ` +
        `${showBytes(this.#needed(bytes))} are needed, ${showBytes(reservedBytes)} of them as a reserve ` +
        "(delete data, or use a larger disk)",
      { cause },
    );
  }
}

async function lookAt(root: string, wasFull: boolean): Promise<Room> {
  const { bavail, blocks, bsize } = await statfs(root);
  const freeBytes = bavail * bsize;
  const reservedBytes = Math.max(RESERVE_BYTES, Math.ceil(blocks * bsize * RESERVE_SHARE));
  return { freeBytes, reservedBytes, isFull: freeBytes < reservedBytes * (wasFull ? AGAIN_SHARE : 1) };
}
