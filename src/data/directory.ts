import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DataFacts, Sha256 } from "../core/data.ts";
import type { DataUrl } from "../core/data-url.ts";
import type { Glob } from "../core/glob.ts";
import { adopt } from "./adopt.ts";
import { Arrivals } from "./arrival.ts";
import { claimForCluster } from "./cluster-file.ts";
import { DataThread } from "./data-thread.ts";
import { DirectoryLock } from "./directory-lock.ts";
import { Intake } from "./intake.ts";
import { type Fault, takeInventory } from "./inventory.ts";
import { type Entry, Journal } from "./journal.ts";
import { isOpenToOthers, makeLayout, pathOf, type Layout } from "./layout.ts";
import { LocalParts } from "./local-parts.ts";
import { Pulls } from "./pulls.ts";
import type { DataReader } from "./reader.ts";
import { Readers } from "./readers.ts";
import { Shelf } from "./shelf.ts";
import { Soundness } from "./soundness.ts";
import { type Room, Space } from "./space.ts";
import { survey, type Survey } from "./survey.ts";
import type {
  Adoption,
  ArrivalInfo,
  Arrived,
  Body,
  LocalPart,
  Loss,
  PullOptions,
  ReaderOptions,
  ReceiveOptions,
  Replica,
  Moved,
} from "./types.ts";
import { isDiskFull, storageError } from "./storage-error.ts";
import { Uploads } from "./uploads.ts";
import { Signal } from "./wait.ts";

export interface DataDirectoryOptions {
  readonly path: string;
  /** The cluster's name; a directory is of one cluster. */
  readonly cluster: string;
  readonly warn: (message: string) => void;
  /** A replica turned out to be gone or damaged after `open`; it is not found any more. Who asked waits for this to resolve. */
  readonly onLost?: ((loss: Loss) => unknown) | undefined;
  /** The disk has got full, or there is room again. */
  readonly onRoom?: ((room: Room) => void) | undefined;
  /** Its own, unless a test wants to end it. */
  readonly thread?: DataThread | undefined;
}

/**
 * A node's data: plain files, each under its data url, read-only, and the arrivals of more. Nothing is at a data url's path
 * before all its bytes are on the disk, and nothing there is ever replaced.
 *
 * @example
 * ```ts
 * const directory = await DataDirectory.open({ path: "/tmp/data1", cluster: "default", warn });
 * const { replica } = await directory.receive(request, { url: parseDataUrl("mylarge/dataset"), codec: null, type: "file" });
 * ```
 */
export class DataDirectory {
  /** What the journal had when it was opened, and the files did not confirm. */
  readonly lost: readonly Loss[];
  readonly #parts: DirectoryParts;

  private constructor(parts: DirectoryParts, lost: readonly Loss[]) {
    this.#parts = parts;
    this.lost = lost;
  }

  /**
   * Opens a data directory, and makes it when it is not there.
   *
   * @throws KitchenError `KS_CONFLICT`: it is another cluster's, or another process uses it; `KS_DATA_UNAVAILABLE`: its disk
   *   has not a page left
   */
  static async open(options: DataDirectoryOptions): Promise<DataDirectory> {
    const { path, cluster, warn } = options;
    const layout = await makeLayout(path);
    if (await isOpenToOthers(layout))
      warn(`others of this machine can look into ${layout.root}: chmod 700 keeps what is saved there to you`);
    const lock = await takeLock(layout, warn);
    try {
      await claimForCluster({
        path: layout.clusterFile,
        directory: layout.root,
        cluster,
        journal: layout.journal,
      });
      await removeLeftovers(layout.incoming);
      const { parts, lost } = await openLocked(options, layout, lock);
      return new DataDirectory(parts, lost);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** The real path. */
  get path(): string {
    return this.#parts.layout.root;
  }

  find(url: DataUrl): Replica | undefined {
    return this.#parts.shelf.find(url);
  }

  /** Where a data url's file is, or would be. */
  pathOf(url: DataUrl): string {
    return pathOf(this.#parts.layout, url);
  }

  /** All of them; those whose files have other times than they had are hashed in the background, or when they are read. */
  replicas(): IterableIterator<Replica> {
    return this.#parts.shelf.replicas();
  }

  /** As `find`, after a look at the file: one that is gone or damaged is lost. Where its times have changed it is hashed. */
  async check(url: DataUrl): Promise<Replica | undefined> {
    try {
      return await this.#parts.soundness.check(url);
    } catch (error) {
      throw storageError(error, `Cannot read "${url}" here`);
    }
  }

  /** As `check`, by the hash of its bytes, for who was told that they are damaged. */
  prove(url: DataUrl): Promise<Replica | undefined> {
    return this.#parts.soundness.prove(url);
  }

  /** How many bytes were read to be sent, and how many came, since the start. */
  get moved(): Moved {
    const { readers, arrivals } = this.#parts;
    return { sentBytes: readers.sentBytes, receivedBytes: arrivals.endedBytes };
  }

  /** What is under way. */
  arrivals(): ArrivalInfo[] {
    return this.#parts.arrivals.list();
  }

  /** Looks at all files, without reading them. `known`: names of data that ought to be here. */
  survey(known: ReadonlySet<string>): Promise<Survey> {
    const { layout, arrivals } = this.#parts;
    return survey({ layout, known, parts: arrivals.parts });
  }

  /** Looks at the room on the disk. */
  look(): Promise<Room> {
    return this.#parts.space.look();
  }

  /** As of the last look, or the last time that something was to be put there. */
  get room(): Room {
    return this.#parts.space.room;
  }

  /** Whether so much more has room beside what is on its way. */
  hasRoomFor(bytes: number): Promise<boolean> {
    return this.#parts.space.hasRoomFor(bytes);
  }

  /**
   * Takes the body of a request in. The body is read to its end, and not destroyed when the data is refused.
   *
   * @throws KitchenError `KS_BAD_REQUEST`: it is not what was announced; `KS_DATA_EXISTS`; `KS_CONFLICT`: an upload cannot go on
   *   from this offset; `KS_DATA_UNAVAILABLE`: it broke off, or the disk has no room
   */
  receive(body: Body, options: ReceiveOptions): Promise<Arrived> {
    return this.#parts.uploads.receive(body, options);
  }

  /** How many bytes of an upload are here; a body that still arrives is broken off. `undefined`: there is no such upload. */
  uploadOffset(uploadId: string): Promise<number | undefined> {
    return this.#parts.uploads.offset(uploadId);
  }

  /** Removes what there is of an upload: its sender gave it up. */
  dropUpload(uploadId: string): Promise<void> {
    return this.#parts.uploads.drop(uploadId);
  }

  /**
   * Fetches data from other nodes, from one after the other. Whoever asks while it is on its way waits for the same arrival,
   * which goes on until nobody wants it.
   *
   * @throws KitchenError `KS_DATA_UNAVAILABLE`: no source gave it (each is named, with the reason), or the disk has no room;
   *   `KS_DATA_EXISTS`
   */
  pull(options: PullOptions): Promise<Arrived> {
    return this.#parts.pulls.pull(options);
  }

  /**
   * Names a part for a worker to write, with `writePart`. Finish it or abandon it. Until then so many bytes are kept free for
   * it; without `size`, none.
   *
   * @throws KitchenError `KS_DATA_UNAVAILABLE`: the disk has no room
   */
  beginLocal(size?: number): Promise<LocalPart> {
    return this.#parts.locals.begin(size);
  }

  /** Whether a worker's part is neither finished nor abandoned. */
  isOpenPart(id: string): boolean {
    return this.#parts.locals.isOpen(id);
  }

  /** Puts a worker's part in place. @throws KitchenError `KS_BAD_REQUEST`, `KS_DATA_EXISTS`, `KS_DATA_UNAVAILABLE` */
  finishLocal(id: string, facts: DataFacts): Promise<Arrived> {
    return this.#parts.locals.finish(id, facts);
  }

  /** Removes a worker's part, if there is one. */
  abandonLocal(id: string): Promise<void> {
    return this.#parts.locals.abandon(id);
  }

  /**
   * Takes in the files that lie in the directory and match a pattern, where they are: they become read-only data of type
   * `file`. Those that are known are passed over. Rejects when `signal` is aborted.
   */
  adopt(patterns: readonly Glob[], { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<Adoption> {
    const { layout, shelf, thread } = this.#parts;
    return adopt({ layout, shelf, thread, patterns, signal });
  }

  /**
   * Opens a replica, or an arrival that is pulled just now.
   *
   * @throws KitchenError `KS_NO_SUCH_DATA`: neither is here, nor was within `waitMs`; `KS_DATA_UNAVAILABLE`: its file is gone
   */
  openReader(url: DataUrl, options: ReaderOptions = {}): Promise<DataReader> {
    return this.#parts.readers.open(url, options);
  }

  /** Removes a replica, if it is here and has the sha256 given. Those who read it read on. Tells whether one was removed. */
  remove(url: DataUrl, sha256?: Sha256): Promise<boolean> {
    return this.#parts.shelf.remove(url, sha256);
  }

  /** Forgets a replica, if it is here and has this sha256, and leaves its file: it is nobody's data any more. */
  disown(url: DataUrl, sha256: Sha256): Promise<void> {
    return this.#parts.shelf.disown(url, sha256);
  }

  /** As `disown`, and moves its file out of the way of other data. Tells where to; `undefined`: there was none to move. */
  async setAside(url: DataUrl, sha256: Sha256): Promise<string | undefined> {
    const { shelf } = this.#parts;
    const entry = shelf.entry(url);
    if (entry?.replica.sha256 !== sha256) return undefined;
    return (await shelf.lose(entry, Date.now()))?.aside;
  }

  /** Breaks off all that is under way, and lets the directory go. Nothing of what was under way is left. */
  async close(): Promise<void> {
    const { intake, uploads, pulls, locals, readers, soundness, shelf, journal, thread, lock } = this.#parts;
    intake.close();
    soundness.stop();
    await Promise.all([uploads.close(), pulls.close(), locals.close(), readers.close()]);
    await soundness.settled;
    await shelf.settle();
    await thread.close();
    await journal.close();
    await lock.release();
  }
}

interface DirectoryParts {
  readonly layout: Layout;
  readonly lock: DirectoryLock;
  readonly journal: Journal;
  readonly thread: DataThread;
  readonly shelf: Shelf;
  readonly arrivals: Arrivals;
  readonly space: Space;
  readonly intake: Intake;
  readonly uploads: Uploads;
  readonly pulls: Pulls;
  readonly locals: LocalParts;
  readonly readers: Readers;
  readonly soundness: Soundness;
}

async function openLocked(
  { warn, onLost = () => {}, onRoom = () => {}, thread = new DataThread() }: DataDirectoryOptions,
  layout: Layout,
  lock: DirectoryLock,
): Promise<{ parts: DirectoryParts; lost: readonly Loss[] }> {
  const { journal, entries, badLines } = await Journal.open(layout.journal);
  if (badLines > 0) warn(`${layout.journal}: ${badLines} lines cannot be read and were left out`);
  const news = new Signal();
  const arrivals = new Arrivals(layout.incoming);
  const shelf = new Shelf({ layout, journal, thread, onKept: () => news.send() });
  const space = await Space.open({
    root: layout.root,
    promised: () => arrivals.promised(),
    onChange: onRoom,
  });
  const intake = new Intake({ arrivals, shelf, space, thread, onReadable: () => news.send() });
  for (const entry of entries.values()) shelf.restore(entry);
  const lost: Loss[] = [];
  let tell: NonNullable<DataDirectoryOptions["onLost"]> = (loss) => void lost.push(loss);
  const lose = async (entry: Entry, fault: Fault): Promise<void> => {
    const left = await shelf.lose(entry, Date.now());
    if (left === undefined) return;
    const { replica } = entry;
    const where = left.aside === undefined ? "" : ` (what is left: ${left.aside})`;
    warn(`data "${replica.url}" is lost here: ${fault.reason}${where}`);
    await tell({ replica, ...fault });
  };
  const inventory = await takeInventory(layout, entries.values());
  for (const { entry, fault } of inventory.lost) await lose(entry, fault);
  tell = onLost;
  const soundness = new Soundness({ layout, shelf, thread, doubtful: inventory.doubtful, lose });
  const parts = {
    layout,
    lock,
    journal,
    thread,
    shelf,
    arrivals,
    space,
    intake,
    uploads: new Uploads(intake),
    pulls: new Pulls(intake),
    locals: new LocalParts(intake),
    soundness,
    readers: new Readers({ layout, shelf, arrivals, soundness, news }),
  };
  return { parts, lost };
}

async function takeLock(
  { lock: path, root }: Layout,
  warn: (message: string) => void,
): Promise<DirectoryLock> {
  try {
    return await DirectoryLock.take({ path, directory: root, warn });
  } catch (error) {
    throw isDiskFull(error) ? storageError(error, `Cannot open the data directory ${root}`) : error;
  }
}

/** Parts of a process that was killed: nobody will ever continue them. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}
