import type { DataFacts } from "../../core/data.ts";
import { KitchenError } from "../../core/errors.ts";
import type { NodeName } from "../../core/ids.ts";
import type { DataDirectory } from "../../data/directory.ts";
import type { Arrived, Loss, Replica } from "../../data/types.ts";
import type { Catalog, NewReplica } from "../../store/catalog.ts";

export interface ReplicasOptions {
  readonly node: NodeName;
  readonly directory: DataDirectory;
  readonly catalog: Catalog;
  readonly warn: (message: string) => void;
}

/** Keeps the catalog and this node's files in step: what is listed is here, and what was deleted is not. */
export class Replicas {
  readonly #options: ReplicasOptions;

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** Says what this node has, and only that; for when it joins, and for a store that has forgotten. */
  async enterAll(): Promise<void> {
    const { node, directory, catalog, warn } = this.#options;
    await this.dropNoted();
    const replicas = [...directory.replicas()];
    const replies = await catalog.setReplicas(node, replicas.map(rowOf));
    for (const [at, { url }] of replicas.entries())
      if (replies[at] === "exists")
        warn(`the file of ${url} is not in the catalog: other data has that url now (move the file away)`);
    // Some may have turned out to be lost while all were entered.
    const gone = replicas.filter(({ url }) => directory.find(url) === undefined);
    await catalog.removeReplicas(
      node,
      gone.map(({ url }) => url),
    );
  }

  /** Enters what arrived; when other data has the url by now, its file goes. @throws KitchenError `KS_DATA_EXISTS` */
  async enter({ replica, isKnown }: Arrived): Promise<Replica> {
    const { node, directory, catalog } = this.#options;
    const [reply] = await catalog.addReplicas(node, [rowOf(replica)]);
    if (reply !== "exists") return replica;
    if (!isKnown) await directory.remove(replica.url, replica.sha256);
    throw new KitchenError(
      "KS_DATA_EXISTS",
      `Cannot save ${replica.url}: other data is saved under this url already (choose another, or delete it first)`,
    );
  }

  /** As {@link enter}, for what was fetched: it may have been deleted meanwhile. @throws KitchenError `KS_NO_SUCH_DATA` */
  async enterFetched(arrived: Arrived): Promise<Replica> {
    const { directory, catalog } = this.#options;
    const { url, sha256 } = arrived.replica;
    const [record] = await catalog.findData([url]);
    if (record?.sha256 === sha256) return await this.enter(arrived);
    await directory.remove(url, sha256);
    throw new KitchenError("KS_NO_SUCH_DATA", `The data ${url} was deleted while it was being fetched`);
  }

  /** Removes the files that the catalog wants gone from here. */
  async dropNoted(): Promise<void> {
    const { node, directory, catalog } = this.#options;
    const drops = await catalog.drops(node);
    if (drops.length === 0) return;
    for (const { url, sha256 } of drops) await directory.remove(url, sha256);
    await catalog.dropped(node, drops);
  }

  /** A file turned out to be gone or damaged. */
  async lose({ replica }: Loss): Promise<void> {
    const { node, catalog } = this.#options;
    await catalog.removeReplicas(node, [replica.url]);
  }
}

export function factsOf({ url, size, sha256, codec, type }: DataFacts): DataFacts {
  return { url, size, sha256, codec, type };
}

function rowOf(replica: Replica): NewReplica {
  return { ...factsOf(replica), createdAtMs: replica.createdAtMs };
}
