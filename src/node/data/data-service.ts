import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError, messageOf } from "../../core/errors.ts";
import { type Glob, parseGlob } from "../../core/glob.ts";
import type { NodeName } from "../../core/ids.ts";
import { isReserved, isResultUrl } from "../../core/result-url.ts";
import { showBytes } from "../../core/show-bytes.ts";
import type { DataDirectory } from "../../data/directory.ts";
import type { LocalPart, Loss, Replica } from "../../data/types.ts";
import type { DataRecord } from "../../store/catalog.ts";
import type { Store } from "../../store/port.ts";
import { livingNodes, type NodeFacts } from "../facts.ts";
import { Broadcast } from "./broadcast.ts";
import { Fetcher } from "./fetcher.ts";
import { missing } from "./missing.ts";
import { type Peer, Peers } from "./peers.ts";
import { Replicas } from "./replicas.ts";
import { StoredResults } from "./stored-results.ts";
import { Transfers } from "./transfers.ts";

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
/** A node that hashes says now and then that it lives. */
const DOUBT_IDLE_MS = 10_000;
/** Urls that are looked at in one step of a search. */
const SEARCH_STEP = 1_000;

/** All that a node does with data, of its own and of its cluster's. */
export class DataService {
  readonly directory: DataDirectory;
  readonly replicas: Replicas;
  readonly results: StoredResults;
  readonly fetcher: Fetcher;
  readonly broadcast: Broadcast;
  readonly transfers: Transfers = new Transfers();
  readonly #options: DataServiceOptions;
  readonly peers: Peers;
  /** Ids of the parts that each worker writes, by its process. */
  readonly #parts = new Map<number, readonly string[]>();

  constructor(options: DataServiceOptions) {
    const { node, cluster, token, directory, store, warn } = options;
    this.#options = options;
    this.directory = directory;
    this.peers = new Peers({ cluster, token });
    this.replicas = new Replicas({ node, directory, catalog: store, warn });
    this.results = new StoredResults({ node, directory, store, warn });
    const shared = { node, catalog: store, livingNodes: () => livingNodes(store) };
    this.fetcher = new Fetcher({
      ...shared,
      cluster,
      token,
      refusal: (bytes) => this.refusal(bytes),
      doubt: (peer, dataUrl) => void this.#haveChecked({ name: peer.host, url: peer }, dataUrl),
      directory,
      replicas: this.replicas,
    });
    this.broadcast = new Broadcast({
      ...shared,
      fetcher: this.fetcher,
      peers: this.peers,
      replicas: this.replicas,
    });
  }

  /** Whether it keeps data of others now. */
  get takesData(): boolean {
    return !this.#options.isReadOnly && !this.directory.room.isFull;
  }

  /** Why it does not keep so many bytes more; `undefined`: it does. */
  async refusal(bytes: number): Promise<string | undefined> {
    if (this.#options.isReadOnly) return "the node is read-only";
    if (await this.directory.hasRoomFor(bytes)) return undefined;
    const { freeBytes, reservedBytes } = this.directory.room;
    return `the disk of its data directory has ${showBytes(freeBytes)} free, ${showBytes(reservedBytes)} of them as a reserve`;
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
   * Where to save so many bytes: this node, or where it does not keep them, the one with most room.
   * @param without nodes that have ended, though the store may not know it yet
   */
  async destination(
    bytes: number,
    { without = [] }: { readonly without?: readonly NodeName[] | undefined } = {},
  ): Promise<NodeFacts | "here"> {
    const { node, store } = this.#options;
    const refusal = await this.refusal(bytes);
    if (refusal === undefined) return "here";
    const others = (await livingNodes(store)).filter(
      ({ name, takesData, freeBytes }) =>
        name !== node && takesData && freeBytes > bytes && !without.includes(name),
    );
    const [best] = others.toSorted((a, b) => b.freeBytes - a.freeBytes);
    if (best !== undefined) return best;
    throw new KitchenError(
      "KS_DATA_UNAVAILABLE",
      `Cannot save ${showBytes(bytes)}: no node of the cluster takes data of this size, and here ${refusal} (delete data, use a larger disk, or start a node without --read-only)`,
    );
  }

  /**
   * The node of this name, as a place for data.
   * @param isKept the data is there already, so that the node need not take any
   */
  async place(
    wanted: NodeName,
    { isKept = false }: { readonly isKept?: boolean } = {},
  ): Promise<NodeFacts | "here"> {
    const { node, store } = this.#options;
    const chosen = (await livingNodes(store)).find(({ name }) => name === wanted);
    if (chosen === undefined)
      throw new KitchenError(
        "KS_DATA_UNAVAILABLE",
        `Cannot save at ${wanted}: no node of this name is there (c.nodes() lists them)`,
      );
    if (!chosen.takesData && !isKept)
      throw new KitchenError(
        "KS_DATA_UNAVAILABLE",
        chosen.isReadOnly
          ? `Cannot save at ${wanted}: it is read-only (choose another node)`
          : `Cannot save at ${wanted}: its disk has ${showBytes(chosen.freeBytes)} free, which is its reserve (choose another node, or make room there)`,
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

  /** @throws KitchenError `KS_NO_SUCH_DATA`, `KS_DATA_LOST` */
  async record(url: DataUrl): Promise<DataRecord> {
    const record = await this.find(url);
    if (record === undefined) throw await missing(this.#options.store, url);
    return record;
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

  /**
   * A file turned out to be gone or damaged. Resolves when the catalog knows; a sound copy is fetched in place of a damaged
   * one, where another node has it.
   */
  async lose(loss: Loss): Promise<void> {
    await this.replicas.lose(loss);
    this.repair([loss]);
  }

  /** Fetches sound copies in place of damaged ones. What is missing may be wanted so, and is fetched when it is needed. */
  repair(losses: readonly Loss[]): void {
    for (const { replica, isDamaged } of losses)
      if (isDamaged)
        this.fetcher.ensure(replica.url).catch((error: unknown) => this.#cannotRepair(replica, error));
  }

  #cannotRepair({ url }: Replica, error: unknown): void {
    this.#options.warn(`no sound copy of ${url} for this node: ${messageOf(error)}`);
  }

  /** Somebody got wrong bytes: has all who have the data compare their files with its hash. Resolves when they have. */
  async doubt(url: DataUrl): Promise<void> {
    const record = await this.record(url);
    const peers = (await this.holders(record)).map((peer) => this.#haveChecked(peer, url));
    await Promise.all([this.directory.prove(url), ...peers]);
  }

  /** One that cannot be asked has no part in it. */
  async #haveChecked(peer: Peer, url: DataUrl): Promise<void> {
    const asked = {
      method: "POST",
      path: "/v1/doubts",
      body: { url, isOwn: true },
      idleMs: DOUBT_IDLE_MS,
    } as const;
    try {
      for await (const _ of this.peers.lines(peer, asked));
    } catch (error) {
      this.#options.warn(
        `${peer.url?.href ?? peer.name} does not say whether its ${url} is damaged: ${messageOf(error)}`,
      );
    }
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
              reason: messageOf(error),
            },
          };
        }
    }
  }

  /** A part for a worker to write. `size`: how much it will be, in bytes, if it said so. */
  async beginPart(pid: number, size: number | undefined): Promise<LocalPart> {
    const part = await this.directory.beginLocal(size);
    const parts = this.#parts.get(pid) ?? [];
    this.#parts.set(pid, [...parts.filter((id) => this.directory.isOpenPart(id)), part.id]);
    // Of one that ended meanwhile, the end may have been told: nobody would let go of the room.
    if (!isRunning(pid)) await this.abandonParts(pid);
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
      else await this.peers.ask(peer, { method: "POST", path: "/v1/drops", body: {}, idleMs: DROP_IDLE_MS });
      return true;
    } catch (error) {
      this.#options.warn(`${name} has not dropped its file yet: ${String(error)}`);
      return false;
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function infoOf(record: DataRecord, places: ReadonlyMap<NodeName, URL | undefined>): DataInfo {
  const { url, size, sha256, codec, type, createdAtMs } = record;
  const replicas = record.replicas
    .map((node) => ({ node, url: places.get(node)?.href ?? null, isAlive: places.has(node) }))
    .toSorted((a, b) => Number(b.isAlive) - Number(a.isAlive) || (a.node < b.node ? -1 : 1));
  return { url, size, sha256, codec, type, createdAt: new Date(createdAtMs).toISOString(), replicas };
}
