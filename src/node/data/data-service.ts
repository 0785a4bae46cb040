import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import { type Glob, parseGlob } from "../../core/glob.ts";
import type { NodeName } from "../../core/ids.ts";
import { isReserved, isResultUrl } from "../../core/result-url.ts";
import type { DataDirectory } from "../../data/directory.ts";
import type { LocalPart, Replica } from "../../data/types.ts";
import type { DataRecord } from "../../store/catalog.ts";
import type { Store } from "../../store/port.ts";
import { livingNodes, type NodeFacts } from "../facts.ts";
import { Broadcast } from "./broadcast.ts";
import { Fetcher } from "./fetcher.ts";
import { Peers } from "./peers.ts";
import { Replicas } from "./replicas.ts";
import { StoredResults } from "./stored-results.ts";

export interface DataServiceOptions {
  readonly node: NodeName;
  readonly cluster: string;
  readonly token: string | null;
  readonly isReadOnly: boolean;
  readonly directory: DataDirectory;
  readonly store: Store;
  readonly warn: (message: string) => void;
}

/** A replica as others see it. */
export interface ReplicaInfo {
  readonly node: NodeName;
  readonly url: string | null;
  readonly isAlive: boolean;
}

/** What the HTTP interface tells of data. */
export interface DataInfo {
  readonly url: DataUrl;
  readonly size: number;
  readonly sha256: string;
  readonly codec: string | null;
  readonly type: string;
  /** ISO 8601 */
  readonly createdAt: string;
  /** Those of nodes that live come first. */
  readonly replicas: readonly ReplicaInfo[];
}

export type Adopted =
  | { readonly adopted: DataInfo }
  | { readonly refused: { readonly path: string; readonly reason: string } };

export interface Deleted {
  readonly deleted: readonly NodeName[];
  /** Nodes that are away: they drop their files when they are back. */
  readonly pending: readonly NodeName[];
}

/** How long a node has to drop a file. */
const DROP_IDLE_MS = 10_000;
/** Urls that are looked at in one step of a search. */
const SEARCH_STEP = 1_000;

/** All that a node does with data, of its own and of its cluster's. */
export class DataService {
  readonly directory: DataDirectory;
  readonly replicas: Replicas;
  readonly results: StoredResults;
  readonly fetcher: Fetcher;
  readonly broadcast: Broadcast;
  readonly takesData: boolean;
  readonly #options: DataServiceOptions;
  readonly peers: Peers;
  /** Ids of the parts that each worker writes, by its process. */
  readonly #parts = new Map<number, readonly string[]>();

  constructor(options: DataServiceOptions) {
    const { node, cluster, token, isReadOnly, directory, store, warn } = options;
    this.#options = options;
    this.directory = directory;
    this.takesData = !isReadOnly;
    this.peers = new Peers({ cluster, token });
    this.replicas = new Replicas({ node, directory, catalog: store, warn });
    this.results = new StoredResults({ node, directory, store, warn });
    const shared = { node, catalog: store, livingNodes: () => livingNodes(store) };
    this.fetcher = new Fetcher({
      ...shared,
      cluster,
      token,
      takesData: this.takesData,
      directory,
      replicas: this.replicas,
    });
    this.broadcast = new Broadcast({ ...shared, fetcher: this.fetcher, peers: this.peers });
  }

  /** Files that are in the directory already, and match, enter the catalog. */
  async adoptAll(patterns: readonly string[]): Promise<void> {
    for await (const step of this.adopt(patterns.map(parseGlob)))
      if ("refused" in step) this.#options.warn(`not adopted: ${step.refused.path}: ${step.refused.reason}`);
  }

  /** The living nodes that have the data, this one aside. */
  async holders(record: DataRecord): Promise<NodeFacts[]> {
    const { node, store } = this.#options;
    return (await livingNodes(store)).filter(
      ({ name, url }) => name !== node && url !== undefined && record.replicas.includes(name),
    );
  }

  /**
   * Where to save: the node that was asked for, this one, or when it takes no data, the one with most room.
   * @param isKept the data is there already, so that the node may be read-only
   */
  async destination(
    wanted: NodeName | undefined,
    { isKept = false }: { readonly isKept?: boolean } = {},
  ): Promise<NodeFacts | "here"> {
    const { node, store } = this.#options;
    if (wanted === undefined && this.takesData) return "here";
    const living = await livingNodes(store);
    const able = living.filter(({ isReadOnly }) => !isReadOnly).toSorted((a, b) => b.freeBytes - a.freeBytes);
    const chosen = wanted === undefined ? able[0] : living.find(({ name }) => name === wanted);
    if (chosen === undefined)
      throw new KitchenError(
        "KS_DATA_UNAVAILABLE",
        wanted === undefined
          ? "Cannot save: no node of the cluster takes data (start one without --read-only)"
          : `Cannot save at ${wanted}: no node of this name is there (c.nodes() lists them)`,
      );
    if (chosen.isReadOnly && !isKept)
      throw new KitchenError(
        "KS_DATA_UNAVAILABLE",
        `Cannot save at ${chosen.name}: it is read-only (choose another node)`,
      );
    return chosen.name === node ? "here" : chosen;
  }

  async find(url: DataUrl): Promise<DataRecord | undefined> {
    const [record] = await this.#options.store.findData([url]);
    return record;
  }

  async info(urls: readonly DataUrl[]): Promise<(DataInfo | undefined)[]> {
    const { store } = this.#options;
    const [records, living] = await Promise.all([store.findData(urls), livingNodes(store)]);
    const places = new Map(living.map(({ name, url }) => [name, url]));
    return records.map((record) => (record === undefined ? undefined : infoOf(record, places)));
  }

  /** What the catalog says of data that is here. */
  async infoOf({ url }: Replica): Promise<DataInfo> {
    const [info] = await this.info([url]);
    if (info !== undefined) return info;
    throw new KitchenError("KS_NO_SUCH_DATA", `The data ${url} were deleted right after they had been saved`);
  }

  /** Up to `limit` urls that match, in order, and where to go on. */
  async search(
    glob: Glob,
    { after, limit }: { readonly after: string; readonly limit: number },
  ): Promise<{ readonly urls: readonly DataUrl[]; readonly next: DataUrl | null }> {
    const urls: DataUrl[] = [];
    let last = after;
    const prefix = glob.literalPrefix;
    // Whoever looks for what was saved does not mean these.
    const isShown = (url: DataUrl): boolean => isReserved(prefix) || !isResultUrl(url);
    for (;;) {
      const page = await this.#options.store.listData({ prefix, after: last, limit: SEARCH_STEP });
      for (const url of page) {
        if (glob.matches(url) && isShown(url)) urls.push(url);
        if (urls.length === limit) return { urls, next: url };
        last = url;
      }
      if (page.length < SEARCH_STEP) return { urls, next: null };
    }
  }

  /** @throws KitchenError `KS_NO_SUCH_DATA` */
  async delete(url: DataUrl, at: NodeName | undefined): Promise<Deleted> {
    const { store } = this.#options;
    const [nodes = []] = await store.deleteData([url], at);
    if (nodes.length === 0)
      throw new KitchenError(
        "KS_NO_SUCH_DATA",
        at === undefined ? `Nothing is saved under ${url}` : `${at} has no replica of ${url}`,
      );
    const living = new Map((await livingNodes(store)).map((facts) => [facts.name, facts]));
    const ends = await Promise.all(nodes.map((name) => this.#drop(name, living.get(name))));
    return {
      deleted: nodes.filter((_, index) => ends[index]),
      pending: nodes.filter((_, index) => !ends[index]),
    };
  }

  /** Enters files that match and are not known yet. */
  async *adopt(patterns: readonly Glob[], signal?: AbortSignal): AsyncGenerator<Adopted> {
    if (patterns.length === 0) return;
    for await (const step of this.directory.adopt(patterns, signal === undefined ? {} : { signal })) {
      if (step.type === "refused") yield { refused: { path: step.path, reason: step.reason } };
      else
        try {
          yield {
            adopted: await this.infoOf(await this.replicas.enter({ replica: step.replica, isKnown: true })),
          };
        } catch (error) {
          yield {
            refused: {
              path: step.replica.url,
              reason: error instanceof Error ? error.message : String(error),
            },
          };
        }
    }
  }

  /** A part for a worker to write. */
  beginPart(pid: number): LocalPart {
    const part = this.directory.beginLocal();
    const parts = this.#parts.get(pid) ?? [];
    this.#parts.set(pid, [...parts.filter((id) => this.directory.isOpenPart(id)), part.id]);
    return part;
  }

  /** The worker has ended: what it was writing will not be finished. */
  async abandonParts(pid: number | undefined): Promise<void> {
    const parts = pid === undefined ? [] : (this.#parts.get(pid) ?? []);
    if (pid !== undefined) this.#parts.delete(pid);
    for (const id of parts) await this.directory.abandonLocal(id);
  }

  async close(): Promise<void> {
    await this.results.stop();
    this.peers.close();
    await this.directory.close();
  }

  /** Whether the node has dropped its file by now. */
  async #drop(name: NodeName, peer: NodeFacts | undefined): Promise<boolean> {
    try {
      if (name === this.#options.node) await this.replicas.dropNoted();
      else if (peer === undefined) return false;
      else await this.peers.ask(peer, { method: "POST", path: "/v1/drops", idleMs: DROP_IDLE_MS });
      return true;
    } catch (error) {
      this.#options.warn(`${name} has not dropped its file yet: ${String(error)}`);
      return false;
    }
  }
}

function infoOf(record: DataRecord, places: ReadonlyMap<NodeName, URL | undefined>): DataInfo {
  const { url, size, sha256, codec, type, createdAtMs } = record;
  const replicas = record.replicas
    .map((node) => ({ node, url: places.get(node)?.href ?? null, isAlive: places.has(node) }))
    .toSorted((a, b) => Number(b.isAlive) - Number(a.isAlive) || (a.node < b.node ? -1 : 1));
  return { url, size, sha256, codec, type, createdAt: new Date(createdAtMs).toISOString(), replicas };
}
