import { isSameData, type Sha256 } from "../../core/data.ts";
import type { DataUrl } from "../../core/data-url.ts";
import type { NodeName } from "../../core/ids.ts";
import type {
  Catalog,
  CopyReply,
  DataRange,
  DataRecord,
  Drop,
  NewReplica,
  ReplicaReply,
} from "../catalog.ts";

const MOST_LOST = 10_000;
const MOST_DELETED = 100_000;

interface Entry extends Omit<DataRecord, "replicas"> {
  readonly replicas: Set<NodeName>;
}

/** The catalog of the embedded store. */
export abstract class MemoryCatalog implements Catalog {
  readonly #entries = new Map<DataUrl, Entry>();
  /** Urls by the time at which their last replica was lost, the first ones first; and prints of what was deleted. */
  readonly #lost = new Map<DataUrl, number>();
  readonly #deleted = new Map<string, number>();
  readonly #drops = new Map<NodeName, Map<DataUrl, Sha256>>();
  /** All urls with their bytes, in the order of these, until an entry comes or goes. */
  #sorted: (readonly [Buffer, DataUrl])[] | undefined;

  /** ms since the epoch. @throws KitchenError `KS_UNAVAILABLE` when the store is closed */
  protected abstract open(): number;

  async addReplicas(node: NodeName, rows: readonly NewReplica[]): Promise<ReplicaReply[]> {
    const nowMs = this.open();
    return rows.map((row) => this.#add(node, row, nowMs));
  }

  async addCopies(node: NodeName, rows: readonly NewReplica[]): Promise<CopyReply[]> {
    const nowMs = this.open();
    return rows.map((row) =>
      this.#entries.has(row.url) || this.#lost.has(row.url) ? this.#add(node, row, nowMs) : "gone",
    );
  }

  async setReplicas(node: NodeName, rows: readonly NewReplica[]): Promise<CopyReply[]> {
    const nowMs = this.open();
    const replies = rows.map((row) =>
      this.#isToDrop(node, row) || this.#isDeleted(row) ? this.#goneOr(row) : this.#add(node, row, nowMs),
    );
    const isKept = (reply: CopyReply | undefined): boolean => reply === "added" || reply === "known";
    const kept = new Set(rows.filter((_, at) => isKept(replies[at])).map(({ url }) => url));
    for (const [url, { replicas }] of this.#entries)
      if (replicas.has(node) && !kept.has(url)) this.#lose(node, url, nowMs);
    return replies;
  }

  async removeReplicas(node: NodeName, urls: readonly DataUrl[]): Promise<void> {
    const nowMs = this.open();
    for (const url of urls) this.#lose(node, url, nowMs);
  }

  async findData(urls: readonly DataUrl[]): Promise<(DataRecord | undefined)[]> {
    this.open();
    return urls.map((url) => {
      const entry = this.#entries.get(url);
      return entry === undefined ? undefined : { ...entry, replicas: [...entry.replicas] };
    });
  }

  async lostData(urls: readonly DataUrl[]): Promise<boolean[]> {
    this.open();
    return urls.map((url) => this.#lost.has(url));
  }

  async dataOf(node: NodeName): Promise<DataUrl[]> {
    this.open();
    return [...this.#entries.values()].flatMap(({ url, replicas }) => (replicas.has(node) ? [url] : []));
  }

  async listData({ prefix, after, limit }: DataRange): Promise<DataUrl[]> {
    this.open();
    const sorted = (this.#sorted ??= this.#sort());
    const [first, last] = [Buffer.from(prefix), Buffer.from(after)];
    const from = lowerBound(
      sorted,
      (bytes) => Buffer.compare(bytes, first) >= 0 && Buffer.compare(bytes, last) > 0,
    );
    const found = sorted.slice(from, from + limit).map(([, url]) => url);
    return found.filter((url) => url.startsWith(prefix));
  }

  async deleteData(urls: readonly DataUrl[], node?: NodeName): Promise<NodeName[][]> {
    const nowMs = this.open();
    return urls.map((url) => {
      if (node === undefined) this.#lost.delete(url);
      const entry = this.#entries.get(url);
      if (entry !== undefined && node === undefined)
        remember(this.#deleted, printOf(entry), { nowMs, most: MOST_DELETED });
      const names = [...(entry?.replicas ?? [])].filter((name) => node === undefined || name === node);
      for (const name of names) {
        if (entry !== undefined) this.#dropsOf(name).set(url, entry.sha256);
        this.#isLastRemoved(name, url);
      }
      return names;
    });
  }

  async drops(node: NodeName): Promise<Drop[]> {
    this.open();
    return Array.from(this.#drops.get(node) ?? [], ([url, sha256]) => ({ url, sha256 }));
  }

  async dropped(node: NodeName, drops: readonly Drop[]): Promise<void> {
    this.open();
    for (const { url, sha256 } of drops) this.#forgetDrop(node, url, sha256);
  }

  #add(node: NodeName, row: NewReplica, nowMs: number): ReplicaReply {
    const { url, size, sha256, codec, type, createdAtMs = nowMs } = row;
    const entry = this.#entries.get(url);
    if (entry !== undefined && !isSameData(entry, row)) return "exists";
    // What was to be dropped is wanted again.
    this.#forgetDrop(node, url, sha256);
    if (entry?.replicas.has(node) === true) return "known";
    if (entry !== undefined) entry.replicas.add(node);
    else {
      const created = Math.round(createdAtMs);
      const replicas = new Set([node]);
      this.#entries.set(url, { url, size, sha256, codec, type, createdAtMs: created, replicas });
      this.#lost.delete(url);
      this.#deleted.delete(printOf(row));
      this.#sorted = undefined;
    }
    return "added";
  }

  #lose(node: NodeName, url: DataUrl, nowMs: number): void {
    if (this.#isLastRemoved(node, url)) remember(this.#lost, url, { nowMs, most: MOST_LOST });
  }

  /** Takes a replica out; tells whether none is left. */
  #isLastRemoved(node: NodeName, url: DataUrl): boolean {
    const entry = this.#entries.get(url);
    if (entry?.replicas.delete(node) !== true || entry.replicas.size > 0) return false;
    this.#entries.delete(url);
    this.#sorted = undefined;
    return true;
  }

  #dropsOf(node: NodeName): Map<DataUrl, Sha256> {
    let drops = this.#drops.get(node);
    if (drops === undefined) this.#drops.set(node, (drops = new Map()));
    return drops;
  }

  #isToDrop(node: NodeName, { url, sha256 }: NewReplica): boolean {
    return this.#drops.get(node)?.get(url) === sha256;
  }

  /** What came to its node later than that was saved anew. */
  #isDeleted(row: NewReplica): boolean {
    const deletedAtMs = this.#deleted.get(printOf(row));
    return deletedAtMs !== undefined && (row.createdAtMs ?? 0) <= deletedAtMs;
  }

  /** Of what was deleted; other data may have its url by now. */
  #goneOr(row: NewReplica): "gone" | "exists" {
    const entry = this.#entries.get(row.url);
    return entry !== undefined && !isSameData(entry, row) ? "exists" : "gone";
  }

  #forgetDrop(node: NodeName, url: DataUrl, sha256: Sha256): void {
    const drops = this.#drops.get(node);
    if (drops?.get(url) !== sha256) return;
    drops.delete(url);
    if (drops.size === 0) this.#drops.delete(node);
  }

  #sort(): (readonly [Buffer, DataUrl])[] {
    return Array.from(this.#entries.keys(), (url): [Buffer, DataUrl] => [Buffer.from(url), url]).toSorted(
      ([a], [b]) => Buffer.compare(a, b),
    );
  }
}

function printOf({ url, sha256 }: Pick<NewReplica, "url" | "sha256">): string {
  return `${sha256} ${url}`;
}

/** As the last one of so many. */
function remember<Key>(
  times: Map<Key, number>,
  key: Key,
  { nowMs, most }: { readonly nowMs: number; readonly most: number },
): void {
  times.delete(key);
  times.set(key, nowMs);
  for (const first of times.keys()) {
    if (times.size <= most) break;
    times.delete(first);
  }
}

/** Where those begin that are far enough. */
function lowerBound(
  sorted: readonly (readonly [Buffer, DataUrl])[],
  isFarEnough: (bytes: Buffer) => boolean,
): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const bytes = sorted[middle]?.[0];
    if (bytes !== undefined && isFarEnough(bytes)) to = middle;
    else from = middle + 1;
  }
  return from;
}
