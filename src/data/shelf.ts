import { chmod, link, lstat, mkdir, rename, rm, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSameData, type DataFacts, type Sha256 } from "../core/data.ts";
import type { DataUrl } from "../core/data-url.ts";
import { KitchenError } from "../core/errors.ts";
import type { DataThread } from "./data-thread.ts";
import type { Entry, Journal } from "./journal.ts";
import { checkParents, makeParents, pathOf, removeEmptyParents, syncFolder, type Layout } from "./layout.ts";
import { unlessFull } from "./storage-error.ts";
import { Turns } from "./turns.ts";
import type { Arrived, Replica } from "./types.ts";

/** A folder that was found empty and removed while a file was put into it is made again. */
const MOST_TRIES = 5;

export interface ShelfParts {
  readonly layout: Layout;
  readonly journal: Journal;
  readonly thread: DataThread;
  /** Called when there is a replica that was not there before. */
  readonly onKept: (url: DataUrl) => void;
}

/** The finished files of a data directory. For each data url one thing happens at a time. */
export class Shelf {
  readonly #parts: ShelfParts;
  readonly #entries = new Map<DataUrl, Entry>();
  readonly #turns = new Turns<DataUrl>();

  constructor(parts: ShelfParts) {
    this.#parts = parts;
  }

  find(url: DataUrl): Replica | undefined {
    return this.#entries.get(url)?.replica;
  }

  /** With the times by which its file is known again. */
  entry(url: DataUrl): Entry | undefined {
    return this.#entries.get(url);
  }

  *replicas(): IterableIterator<Replica> {
    for (const { replica } of this.#entries.values()) yield replica;
  }

  /** Takes in what the journal has. */
  restore(entry: Entry): void {
    this.#entries.set(entry.replica.url, entry);
  }

  /**
   * Gives a part, whose bytes the disk has, its place, where nothing is replaced. The part is gone when this resolves.
   *
   * @throws KitchenError `KS_DATA_EXISTS` when other data, or a folder, is there
   */
  put(part: string, replica: Replica): Promise<Arrived> {
    const { url } = replica;
    return this.#turns.take(url, async () => {
      const known = this.find(url);
      if (known !== undefined && !isSameData(known, replica)) throw exists(url, known, replica);
      if (known !== undefined && (await this.#hasFile(known))) {
        await unlink(part);
        return { replica: known, isKnown: true };
      }
      const isNew = await this.#link(part, replica);
      await rm(part, { force: true });
      try {
        await this.#keep(replica);
      } catch (error) {
        // A file that nobody knows would be in the way of the next one.
        if (isNew) await this.#unlink(url);
        throw error;
      }
      return { replica, isKnown: !isNew };
    });
  }

  /** Takes a file in that lies in its place already, unless it is known. The file's hash was just found. */
  adopt(replica: Replica): Promise<Replica | undefined> {
    return this.#turns.take(replica.url, async () => {
      if (this.#entries.has(replica.url)) return undefined;
      await this.#keep(replica);
      return replica;
    });
  }

  /** Its file is nobody's data any more, and stays where it is. */
  disown(url: DataUrl, sha256: Sha256): Promise<void> {
    return this.#turns.take(url, async () => {
      if (this.find(url)?.sha256 !== sha256) return;
      this.#entries.delete(url);
      await this.#parts.journal.drop(url);
    });
  }

  /** Its file is sound, and has other times than it had: those count from now on. */
  confirm(entry: Entry): Promise<void> {
    const { url } = entry.replica;
    return this.#turns.take(url, async () => {
      if (this.#entries.get(url) === entry) await this.#keep(entry.replica).catch(unlessFull);
    });
  }

  /** Removes a replica, if it is there, and is the one that is meant. */
  remove(url: DataUrl, sha256?: Sha256): Promise<boolean> {
    return this.#turns.take(url, async () => {
      const replica = this.find(url);
      if (replica === undefined || (sha256 !== undefined && replica.sha256 !== sha256)) return false;
      // The file first: it may be what leaves no room for the line.
      await this.#unlink(url);
      this.#entries.delete(url);
      await this.#parts.journal.drop(url);
      return true;
    });
  }

  /**
   * Forgets a replica whose file is gone, and moves one that is not to be read any more out of the way. Tells where to;
   * `undefined` when the replica is not the one that is meant any more.
   */
  lose(entry: Entry, nowMs: number): Promise<{ readonly aside: string | undefined } | undefined> {
    const { url } = entry.replica;
    return this.#turns.take(url, async () => {
      if (this.#entries.get(url) !== entry) return undefined;
      this.#entries.delete(url);
      const aside = await this.#quarantine(url, nowMs);
      await this.#parts.journal.drop(url);
      return { aside };
    });
  }

  /** Resolves when what was begun has ended. */
  async settle(): Promise<void> {
    await this.#turns.settle();
  }

  async #keep(replica: Replica): Promise<void> {
    const { layout, journal, onKept } = this.#parts;
    const path = pathOf(layout, replica.url);
    await chmod(path, 0o444);
    const { mtimeMs, ctimeMs } = await lstat(path);
    // At the same time: both wait for the same disk, and only when both have ended does anybody hear of it.
    const entry = { replica, mtimeMs, ctimeMs };
    await Promise.all([syncFolder(dirname(path)), journal.keep(entry)]);
    this.#entries.set(replica.url, entry);
    onKept(replica.url);
  }

  async #unlink(url: DataUrl): Promise<void> {
    const { layout } = this.#parts;
    try {
      await checkParents(layout, url);
      await unlink(pathOf(layout, url));
    } catch (error) {
      // Gone already, or behind something that is not the node's.
      if (!(error instanceof KitchenError) && (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return;
    }
    await removeEmptyParents(layout, url);
  }

  /** Whether the part was linked: `false` when the same bytes lie there already, unknown until now. */
  async #link(part: string, replica: Replica): Promise<boolean> {
    const { layout } = this.#parts;
    const path = pathOf(layout, replica.url);
    for (let tries = 1; ; tries += 1) {
      await makeParents(layout, replica.url);
      try {
        await linkOrRename(part, path);
        return true;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EEXIST") {
          await this.#checkOccupant(path, replica);
          return false;
        }
        if (code !== "ENOENT" || tries === MOST_TRIES) throw error;
      }
    }
  }

  async #checkOccupant(path: string, replica: Replica): Promise<void> {
    const { url, size, sha256 } = replica;
    const stats = await lstat(path);
    if (stats.isDirectory()) throw occupied(url, "a folder of this name holds other data");
    if (!stats.isFile()) throw occupied(url, `${path} is no file`);
    const isSame = stats.size === size && (await this.#parts.thread.hash(path)).sha256 === sha256;
    if (!isSame) throw occupied(url, `${path} is there already, with other bytes`);
  }

  async #hasFile({ url, size }: Replica): Promise<boolean> {
    const stats = await lstat(pathOf(this.#parts.layout, url)).catch(() => undefined);
    return stats?.isFile() === true && stats.size === size;
  }

  async #quarantine(url: DataUrl, nowMs: number): Promise<string | undefined> {
    const { layout } = this.#parts;
    const time = new Date(nowMs).toISOString().replaceAll(":", "-");
    const aside = join(layout.quarantine, `${url}.${time}`);
    try {
      await checkParents(layout, url);
      await lstat(pathOf(layout, url));
      await mkdir(dirname(aside), { recursive: true, mode: 0o700 });
      await rename(pathOf(layout, url), aside);
    } catch {
      return undefined;
    }
    return aside;
  }
}

async function linkOrRename(part: string, path: string): Promise<void> {
  try {
    await link(part, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EMLINK") throw error;
    // A file system without hard links. Within this directory nobody else puts files in place.
    const isFree = await lstat(path).then(
      () => false,
      () => true,
    );
    if (!isFree) throw Object.assign(new Error(`${path} exists`), { code: "EEXIST" });
    await rename(part, path);
  }
}

function exists(url: DataUrl, known: DataFacts, other: DataFacts): KitchenError {
  const isForm = known.size === other.size && known.sha256 === other.sha256;
  return occupied(
    url,
    isForm
      ? `the same bytes are there as ${known.type} of codec ${known.codec ?? "none"}`
      : "other data is saved under it",
  );
}

function occupied(url: DataUrl, why: string): KitchenError {
  return new KitchenError(
    "KS_DATA_EXISTS",
    `Cannot save data as "${url}": ${why} (data never changes: delete it first, or use another data url)`,
  );
}
