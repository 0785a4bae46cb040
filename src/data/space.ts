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

/** The room that arrivals under way were given. */
export interface Promised {
  /** What they still have to get. */
  readonly missingBytes: number;
  /** Of those that nobody sends now, which give way to others: what they still have to get, and what they have. */
  readonly idle: { readonly missingBytes: number; readonly receivedBytes: number };
}

export const NOTHING_PROMISED: Promised = { missingBytes: 0, idle: { missingBytes: 0, receivedBytes: 0 } };

export interface SpaceOptions {
  readonly root: string;
  readonly promised: () => Promise<Promised>;
  /** Told when it has got full, and when there is room again. */
  readonly onChange: (room: Room) => void;
}

/** Looks at the room on a data directory's disk. */
export class Space {
  readonly #options: SpaceOptions;
  #room: Room;
  /** As of the last look. */
  #promised: Promised;

  private constructor(options: SpaceOptions, room: Room, promised: Promised) {
    this.#options = options;
    this.#room = room;
    this.#promised = promised;
  }

  /** With a first look. */
  static async open(options: SpaceOptions): Promise<Space> {
    const promised = await options.promised();
    return new Space(options, await lookAt(options.root, false), promised);
  }

  /** As of the last look. */
  get room(): Room {
    return this.#room;
  }

  async look(): Promise<Room> {
    // In this order, what is written in between counts as used and as still to come; in the other, as neither.
    this.#promised = await this.#options.promised();
    const room = await lookAt(this.#options.root, this.#room.isFull);
    const hasChanged = room.isFull !== this.#room.isFull;
    this.#room = room;
    if (hasChanged) this.#options.onChange(room);
    return room;
  }

  /** Whether `bytes` more have room beside what is promised; or would have it, if those gave way that nobody sends. */
  async roomFor(bytes: number): Promise<"yes" | "if-idle-give-way" | "no"> {
    const room = await this.look();
    const { missingBytes, idle } = this.#promised;
    if (!room.isFull && room.freeBytes >= bytes + missingBytes + room.reservedBytes) return "yes";
    const { freeBytes, isFull } = withFree(room, room.freeBytes + idle.receivedBytes);
    return !isFull && freeBytes >= this.#needed(bytes) ? "if-idle-give-way" : "no";
  }

  async hasRoomFor(bytes: number): Promise<boolean> {
    return (await this.roomFor(bytes)) !== "no";
  }

  /** That `bytes` more have no room, as of the last look. */
  full(bytes: number, what: string, cause?: unknown): KitchenError {
    const { freeBytes, reservedBytes } = this.#room;
    return new KitchenError(
      "KS_DATA_UNAVAILABLE",
      `${what}: the disk of the data directory has ${showBytes(freeBytes)} free, and ` +
        `${showBytes(this.#needed(bytes))} are needed, ${showBytes(reservedBytes)} of them as a reserve ` +
        "(delete data, or use a larger disk)",
      { cause },
    );
  }

  /** What a failure means; one of a full disk says how full it is, and what `bytes` more would have needed. */
  async explain(error: unknown, what: string, bytes = 0): Promise<KitchenError> {
    if (!isDiskFull(error)) return storageError(error, what);
    await this.look();
    return this.full(bytes, what, error);
  }

  #needed(bytes: number): number {
    const { missingBytes, idle } = this.#promised;
    return bytes + missingBytes - idle.missingBytes + this.#room.reservedBytes;
  }
}

async function lookAt(root: string, wasFull: boolean): Promise<Room> {
  const { bavail, blocks, bsize } = await statfs(root);
  const freeBytes = bavail * bsize;
  const reservedBytes = Math.max(RESERVE_BYTES, Math.ceil(blocks * bsize * RESERVE_SHARE));
  return withFree({ reservedBytes, isFull: wasFull }, freeBytes);
}

/** A room as it was, once so much is free. */
function withFree({ reservedBytes, isFull }: Omit<Room, "freeBytes">, freeBytes: number): Room {
  return { freeBytes, reservedBytes, isFull: freeBytes < reservedBytes * (isFull ? AGAIN_SHARE : 1) };
}
