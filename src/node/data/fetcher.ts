import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { NodeName } from "../../core/ids.ts";
import type { DataDirectory } from "../../data/directory.ts";
import type { Replica } from "../../data/types.ts";
import type { DataRecord, Catalog } from "../../store/catalog.ts";
import type { NodeFacts } from "../facts.ts";
import { allAway, lost, missing, NotKept } from "./missing.ts";
import { factsOf, type Replicas } from "./replicas.ts";

/** A source that sends nothing for so long is left for another. */
const IDLE_MS = 5_000;
/** How long to wait for a node with the data to come back. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 250;
const MOST_AT_ONCE = 16;
const PROGRESS_MS = 250;

export interface FetcherOptions {
  readonly node: NodeName;
  readonly cluster: string;
  readonly token: string | null;
  /** Why this node does not keep so many bytes more; `undefined`: it does. */
  readonly refusal: (bytes: number) => Promise<string | undefined>;
  /** Has the node at this address look whether its file is damaged. */
  readonly doubt: (node: URL, url: DataUrl) => void;
  readonly directory: DataDirectory;
  readonly replicas: Replicas;
  readonly catalog: Pick<Catalog, "findData" | "lostData" | "removeReplicas">;
  readonly livingNodes: () => Promise<readonly NodeFacts[]>;
  readonly patienceMs?: number;
}

export interface PullFrom {
  readonly sources: readonly URL[];
  readonly idleMs: number;
  /** How long a source may wait for its own copy to begin to arrive. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told now and then how many bytes are here. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface Pulled {
  readonly replica: Replica;
  /** The address of the node that sent the last of it; undefined when it was here already, or has no bytes. */
  readonly from: string | undefined;
}

/** Gets data here that others have. */
export class Fetcher {
  readonly #options: FetcherOptions;
  /** A job may ask for a thousand at once. */
  readonly #limit = pLimit(MOST_AT_ONCE);

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /**
   * This node's replica; fetched and kept when there was none.
   * @throws NotKept when it can be read only where it is
   * @throws KitchenError `KS_NO_SUCH_DATA`, `KS_DATA_LOST`, `KS_DATA_UNAVAILABLE`
   */
  async ensure(url: DataUrl): Promise<Replica> {
    const { directory, patienceMs = PATIENCE_MS } = this.#options;
    const deadline = performance.now() + patienceMs;
    let last: unknown;
    for (;;) {
      const own = await directory.check(url);
      if (own !== undefined) return own;
      const record = await this.#record(url);
      await this.#checkRoom(record);
      const sources = await this.#sources(record);
      if (sources.length > 0)
        try {
          return await this.#limit(
            async () => (await this.pull(record, { sources, idleMs: IDLE_MS })).replica,
          );
        } catch (error) {
          if (isOccupied(error)) throw this.#notKept(url);
          if (!isTransient(error)) throw error;
          last = error;
        }
      if (performance.now() >= deadline) throw last ?? allAway(record);
      await sleep(PAUSE_MS);
    }
  }

  /** Fetches from these, in this order, whatever else there is; what is here already and sound stays. */
  async pull(record: DataRecord, from: PullFrom): Promise<Pulled> {
    const { sources, idleMs, waitMs = 0, signal, onProgress } = from;
    const { directory, replicas, token, cluster, doubt } = this.#options;
    // What is said to be here is given for here: by a look at it, not by what was known.
    await directory.check(record.url);
    const telling = setInterval(() => onProgress?.(this.#arrivedBytes(record.url)), PROGRESS_MS);
    try {
      const arrived = await directory.pull({
        facts: factsOf(record),
        sources: sources.map((source) => replicaAt(source, { url: record.url, waitMs })),
        token,
        cluster,
        idleMs,
        onDamaged: (source) => doubt(new URL("/", source), record.url),
        signal,
      });
      const replica = await replicas.enterFetched(arrived);
      return { replica, from: arrived.from === undefined ? undefined : new URL("/", arrived.from).href };
    } finally {
      clearInterval(telling);
    }
  }

  #notKept(url: DataUrl): NotKept {
    const { node, directory } = this.#options;
    return new NotKept(url, {
      node,
      why: `a file that is not in the catalog lies in its place: ${directory.pathOf(url)}`,
    });
  }

  #arrivedBytes(url: DataUrl): number {
    return this.#options.directory.arrivals().find((arrival) => arrival.url === url)?.receivedBytes ?? 0;
  }

  async #record(url: DataUrl): Promise<DataRecord> {
    const { catalog, node } = this.#options;
    const [record] = await catalog.findData([url]);
    if (record === undefined) throw await missing(catalog, url);
    // Listed, but not here: the file went while nobody looked.
    if (record.replicas.includes(node)) await catalog.removeReplicas(node, [url]);
    if (record.replicas.every((replica) => replica === node)) throw lost(url);
    return record;
  }

  async #checkRoom({ url, size }: DataRecord): Promise<void> {
    const { refusal, directory, node } = this.#options;
    // What is on its way has been given its room.
    if (directory.arrivals().some((arrival) => arrival.url === url)) return;
    const why = await refusal(size);
    if (why !== undefined) throw new NotKept(url, { node, why });
  }

  async #sources({ replicas }: DataRecord): Promise<URL[]> {
    const { node, livingNodes } = this.#options;
    const holders = (await livingNodes()).flatMap(({ name, url }) =>
      name !== node && url !== undefined && replicas.includes(name) ? [url] : [],
    );
    // Not always the same first, so that many who fetch share the work.
    const first = Math.floor(Math.random() * holders.length);
    return [...holders.slice(first), ...holders.slice(0, first)];
  }
}

/** Where a node serves its own copy, also while that is still arriving. */
function replicaAt(node: URL, { url, waitMs }: { readonly url: DataUrl; readonly waitMs: number }): string {
  const path = url.split("/").map(encodeURIComponent).join("/");
  return new URL(`/v1/replicas/${path}${waitMs === 0 ? "" : `?wait=${waitMs}`}`, node).href;
}

function isOccupied(error: unknown): boolean {
  return error instanceof KitchenError && error.code === "KS_DATA_EXISTS";
}

function isTransient(error: unknown): boolean {
  return error instanceof KitchenError && error.code === "KS_DATA_UNAVAILABLE";
}
