/** The index of all data of a cluster: a part of every store's contract, with words and errors as in `port.ts`. */
import type { DataFacts, Sha256 } from "../core/data.ts";
import type { DataUrl } from "../core/data-url.ts";
import type { NodeName } from "../core/ids.ts";

/** Urls that begin with `prefix` and come after `after`, at most `limit` of them. */
export interface DataRange {
  readonly prefix: string;
  readonly after: string;
  readonly limit: number;
}

export interface Catalog {
  /**
   * Says that `node` has a replica of each. The first to name a url decides what is behind it: `exists` is the answer to
   * one with other facts, and changes nothing.
   */
  addReplicas(node: NodeName, rows: readonly NewReplica[]): Promise<ReplicaReply[]>;
  /**
   * As `addReplicas`, of what others have already: `gone` is the answer to a copy of data that the catalog does not have, for
   * they were deleted meanwhile, and changes nothing. Lost data are found again by it.
   */
  addCopies(node: NodeName, rows: readonly NewReplica[]): Promise<CopyReply[]>;
  /**
   * As `addReplicas`, of files that the node had before, and says that these are all: others of the node leave the catalog.
   * `gone` is the answer to those that it still has to drop, and to those that were deleted from all nodes since they were
   * created, although nobody knew that this node had them: the last 100,000 are remembered until they are saved again.
   */
  setReplicas(node: NodeName, rows: readonly NewReplica[]): Promise<CopyReply[]>;
  /**
   * Says that `node` has no (sound) replica of these any more. Data without replicas leave the catalog, and are remembered
   * as lost.
   */
  removeReplicas(node: NodeName, urls: readonly DataUrl[]): Promise<void>;
  /** One row a url, `undefined` for those that the catalog does not have. */
  findData(urls: readonly DataUrl[]): Promise<(DataRecord | undefined)[]>;
  /**
   * Whether each is lost: its last replica was removed and not deleted, and nobody has named the url since. The last 10,000
   * are remembered.
   */
  lostData(urls: readonly DataUrl[]): Promise<boolean[]>;
  /** All urls that `node` is listed for. */
  dataOf(node: NodeName): Promise<DataUrl[]>;
  /** Up to `limit` urls that begin with `prefix` and come after `after`, in the order of their bytes (UTF-8). */
  listData(range: DataRange): Promise<DataUrl[]>;
  /**
   * Takes replicas out of the catalog, of all nodes or of one, and notes for each node that it has to drop its file. One
   * row a url: the nodes that had a replica; empty for what is not there.
   */
  deleteData(urls: readonly DataUrl[], node?: NodeName): Promise<NodeName[][]>;
  /** What `node` still has to drop. */
  drops(node: NodeName): Promise<Drop[]>;
  /** Says that `node` dropped these, or never had them. A note that was renewed with another hash stays. */
  dropped(node: NodeName, drops: readonly Drop[]): Promise<void>;
}

/** A node's copy of the data behind a url. */
export interface NewReplica extends DataFacts {
  /** ms since the epoch; by default now, by the store's clock. Kept from whoever named the url first. */
  readonly createdAtMs?: number;
}
/** `known`: this node was listed already. `exists`: other data has this url. */
export type ReplicaReply = "added" | "known" | "exists";
export type CopyReply = ReplicaReply | "gone";

export interface DataRecord extends DataFacts {
  readonly createdAtMs: number;
  /** The nodes that have it, whether they live or not. */
  readonly replicas: readonly NodeName[];
}

/** A file that a node has to drop. */
export interface Drop {
  readonly url: DataUrl;
  readonly sha256: Sha256;
}
