import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { DataUrl } from "../core/data-url.ts";
import { KitchenError, messageOf } from "../core/errors.ts";
import type { Arrivals } from "./arrival.ts";
import { BufferPool } from "./buffer-pool.ts";
import { checkOpened, pathOf, type Layout } from "./layout.ts";
import { DataReader } from "./reader.ts";
import type { Shelf } from "./shelf.ts";
import type { Soundness } from "./soundness.ts";
import type { ReaderOptions, Replica } from "./types.ts";
import type { Signal } from "./wait.ts";

export interface ReadersParts {
  readonly layout: Layout;
  readonly shelf: Shelf;
  readonly arrivals: Arrivals;
  readonly soundness: Soundness;
  /** Sent when there is a replica, or an arrival that can be read, that was not there before. */
  readonly news: Signal;
}

/** All who read files of a data directory. */
export class Readers {
  readonly #parts: ReadersParts;
  readonly #pool = new BufferPool();
  readonly #open = new Set<DataReader>();
  #sentBytes = 0;
  #isClosed = false;

  constructor(parts: ReadersParts) {
    this.#parts = parts;
  }

  /** How much of files was sent. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  async open(url: DataUrl, { waitMs = 0, signal }: ReaderOptions): Promise<DataReader> {
    signal?.throwIfAborted();
    const reader =
      (await this.#openNow(url)) ?? (waitMs > 0 ? await this.#openLater(url, waitMs, signal) : undefined);
    if (reader === undefined) signal?.throwIfAborted();
    if (reader === undefined)
      throw new KitchenError("KS_NO_SUCH_DATA", `Cannot read "${url}": this node has no replica of it`);
    if (!this.#isClosed) return reader;
    await reader.close();
    throw new KitchenError("KS_DATA_UNAVAILABLE", `Cannot read "${url}": this node is stopping`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // Those who wait for an arrival look again.
    this.#parts.news.send();
    await Promise.all(Array.from(this.#open, (reader) => reader.close()));
  }

  async #openLater(
    url: DataUrl,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<DataReader | undefined> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), waitMs);
    const stop = (): void => deadline.abort();
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        // Listens before it looks: what comes in between is not missed.
        const hasNews = this.#parts.news.next(deadline.signal).then(
          () => !this.#isClosed,
          () => false,
        );
        const reader = await this.#openNow(url);
        if (reader !== undefined) return reader;
        if (!(await hasNews)) return undefined;
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  async #openNow(url: DataUrl): Promise<DataReader | undefined> {
    const { layout, shelf, arrivals } = this.#parts;
    const path = pathOf(layout, url);
    const onClose = (reader: DataReader): void => void this.#open.delete(reader);
    const replica = shelf.find(url);
    const from = replica === undefined ? arrivals.readable(url) : await this.#openReplica(replica, path);
    if (from === undefined) return undefined;
    const facts = "start" in from ? from.start.facts : replica;
    if (facts === undefined) return undefined;
    const onSent = (bytes: number): void => void (this.#sentBytes += bytes);
    const reader = new DataReader({ facts, path, from, pool: this.#pool, onSent, onClose });
    this.#open.add(reader);
    return reader;
  }

  /** @throws KitchenError `KS_DATA_UNAVAILABLE` when the file is not what was put there: the replica is lost then */
  async #openReplica({ url }: Replica, path: string): Promise<FileHandle> {
    try {
      if ((await this.#parts.soundness.check(url)) === undefined)
        throw new Error("its file is gone or damaged (another node may have a sound one)");
      return await this.#openFile(url, path);
    } catch (cause) {
      const reason = messageOf(cause);
      throw new KitchenError("KS_DATA_UNAVAILABLE", `Cannot read "${url}" here: ${reason}`, { cause });
    }
  }

  async #openFile(url: DataUrl, path: string): Promise<FileHandle> {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      await checkOpened(this.#parts.layout, url, handle);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}
