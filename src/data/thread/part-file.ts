import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, fdatasync, ftruncateSync, openSync, writeSync, writevSync } from "node:fs";
import { promisify } from "node:util";
import type { Sha256 } from "../../core/data.ts";

/** The disk works on what is written while more arrives, so that little is left to do at the end. */
const SYNC_EVERY_BYTES: number = 64 * 1024 * 1024;

const syncData = promisify(fdatasync);

/** A file that is written in order and hashed on the way. Read-only for everybody else from the start. */
export class PartFile {
  readonly #descriptor: number;
  #hash: Hash = createHash("sha256");
  #size = 0;
  #sizeSynced = 0;
  #syncing: Promise<void> | undefined;
  #syncError: unknown;

  constructor(path: string) {
    const { O_WRONLY, O_CREAT, O_EXCL } = constants;
    this.#descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o444);
  }

  get size(): number {
    return this.#size;
  }

  write(...pieces: readonly Uint8Array[]): void {
    if (this.#syncError !== undefined) throw this.#syncError;
    writeAll(this.#descriptor, pieces, this.#size);
    for (const piece of pieces) {
      this.#hash.update(piece);
      this.#size += piece.length;
    }
    if (this.#size - this.#sizeSynced >= SYNC_EVERY_BYTES) this.#syncBehind();
  }

  /** Of what was written so far. */
  sha256(): Sha256 {
    return this.#hash.copy().digest("hex") as Sha256;
  }

  restart(): void {
    ftruncateSync(this.#descriptor, 0);
    this.#hash = createHash("sha256");
    this.#size = 0;
    this.#sizeSynced = 0;
  }

  async sync(): Promise<void> {
    await this.#syncing;
    if (this.#syncError !== undefined) throw this.#syncError;
    await syncData(this.#descriptor);
  }

  async close(): Promise<void> {
    await this.#syncing;
    closeSync(this.#descriptor);
  }

  #syncBehind(): void {
    if (this.#syncing !== undefined) return;
    this.#sizeSynced = this.#size;
    this.#syncing = syncData(this.#descriptor)
      .catch((error: unknown) => {
        this.#syncError = error;
      })
      .finally(() => {
        this.#syncing = undefined;
      });
  }
}

/** The system may take less than it is given. */
function writeAll(descriptor: number, pieces: readonly Uint8Array[], position: number): void {
  let written = writevSync(descriptor, [...pieces], position);
  for (const piece of pieces) {
    const done = Math.min(written, piece.length);
    written -= done;
    position += done;
    for (let from = done; from < piece.length;) {
      const count = writeSync(descriptor, piece, from, piece.length - from, position);
      from += count;
      position += count;
    }
  }
}
