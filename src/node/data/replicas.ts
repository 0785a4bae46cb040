import type { DataFacts } from "../../core/data.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError, messageOf } from "../../core/errors.ts";
import type { NodeName } from "../../core/ids.ts";
import type { DataDirectory } from "../../data/directory.ts";
import { Turns } from "../../data/turns.ts";
import type { Arrived, Loss, Replica } from "../../data/types.ts";
import type { Catalog, CopyReply, Drop, NewReplica } from "../../store/catalog.ts";

export interface ReplicasOptions {
  readonly node: NodeName;
  readonly directory: DataDirectory;
  readonly catalog: Catalog;
  readonly warn: (message: string) => void;
}

/** Keeps the catalog and this node's files in step: what is listed is here, and what was deleted is not. */
export class Replicas {
  readonly #options: ReplicasOptions;
  /** What arrived, and may be in the catalog or not: the store did not say. One object each time that it did not. */
  readonly #unsure = new Map<DataUrl, { readonly replica: Replica }>();
  /** What was entered, perhaps, since the catalog was asked for what is to go: it is wanted again. */
  readonly #wanted = new Set<DataUrl>();
  /** One url is entered and dropped by one at a time; and one at a time finds out what is to go. */
  readonly #turns = new Turns<DataUrl>();
  readonly #sweeps = new Turns<"sweep">();

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** Says what this node has, and only that; for when it joins, and for a store that has forgotten. */
  async enterAll(): Promise<void> {
    await this.lookAfter();
    await this.#sweep(async () => {
      const { node, directory, catalog } = this.#options;
      const replicas = [...directory.replicas()];
      const replies = await catalog.setReplicas(node, replicas.map(rowOf));
      for (const [at, replica] of replicas.entries())
        if (replies[at] === "exists") await this.#setAside(replica);
        // Deleted while this node had it, and was away perhaps before anybody was told that it did.
        else if (replies[at] === "gone") await this.#drop(replica);
      // Some may have turned out to be lost while all were entered.
      const gone = replicas.filter(({ url }) => directory.find(url) === undefined);
      await catalog.removeReplicas(
        node,
        gone.map(({ url }) => url),
      );
    });
    // Some may have been deleted meanwhile.
    await this.dropNoted();
  }

  /**
   * Enters what arrived; when other data has the url by now, its file goes. One that was here before stays where it is, as
   * nobody's data: it may be somebody's own.
   * @throws KitchenError `KS_DATA_EXISTS`; `KS_UNAVAILABLE`: whether it is saved will be decided when the store answers
   */
  async enter(arrived: Arrived): Promise<Replica> {
    const { directory } = this.#options;
    const { url, sha256 } = arrived.replica;
    if ((await this.#enter("addReplicas", arrived)) !== "exists") return arrived.replica;
    if (arrived.isKnown) await directory.disown(url, sha256);
    else await directory.remove(url, sha256);
    throw new KitchenError(
      "KS_DATA_EXISTS",
      `Cannot save ${url}: other data is saved under this url already (choose another, or delete it first)`,
    );
  }

  /** As {@link enter}, for what was fetched: it may have been deleted meanwhile. @throws KitchenError `KS_NO_SUCH_DATA` */
  async enterFetched(arrived: Arrived): Promise<Replica> {
    const { directory } = this.#options;
    const { url, sha256 } = arrived.replica;
    const reply = await this.#enter("addCopies", arrived);
    if (reply !== "exists" && reply !== "gone") return arrived.replica;
    await directory.remove(url, sha256);
    throw new KitchenError("KS_NO_SUCH_DATA", `The data ${url} was deleted while it was being fetched`);
  }

  /** This node's replica, if its file is sound by a look at it. Else the catalog does not list it here any more. */
  async look(url: DataUrl): Promise<Replica | undefined> {
    const { node, directory, catalog } = this.#options;
    // It may have arrived while its old file was looked at.
    const own = (await directory.check(url)) ?? directory.find(url);
    // Whatever arrives from now on is entered behind this.
    if (own === undefined) await catalog.removeReplicas(node, [url]);
    return own;
  }

  /** Removes the files that the catalog wants gone from here, and those that did not get into it. */
  async lookAfter(): Promise<void> {
    await this.dropNoted();
    await this.#settle();
  }

  /** Removes the files that the catalog wants gone from here. */
  async dropNoted(): Promise<void> {
    await this.#sweep(async () => {
      const { node, catalog } = this.#options;
      const dropped: Drop[] = [];
      for (const drop of await catalog.drops(node)) if (await this.#drop(drop)) dropped.push(drop);
      if (dropped.length > 0) await catalog.dropped(node, dropped);
    });
  }

  /** Has `sweep` ask the catalog and act on what it says. What is entered meanwhile is kept by {@link #drop}. */
  async #sweep(sweep: () => Promise<void>): Promise<void> {
    await this.#sweeps.take("sweep", async () => {
      this.#wanted.clear();
      await sweep();
    });
  }

  /** Removes a file, unless it was entered since the catalog was asked. Tells whether it is not here any more. */
  #drop({ url, sha256 }: Drop): Promise<boolean> {
    const { directory, warn } = this.#options;
    return this.#turns.take(url, async () => {
      if (this.#wanted.has(url)) return false;
      try {
        await directory.remove(url, sha256);
        return true;
      } catch (error) {
        warn(`the file of ${url}, which was deleted, cannot be removed: ${messageOf(error)}`);
        return false;
      }
    });
  }

  /** Other data has the url of this one. */
  async #setAside({ url, sha256 }: Replica): Promise<void> {
    const { directory, warn } = this.#options;
    const aside = await directory.setAside(url, sha256);
    if (aside !== undefined)
      warn(`other data is saved under ${url} in this cluster: the file that was here is ${aside} now`);
  }

  #enter(how: "addReplicas" | "addCopies", arrived: Arrived): Promise<CopyReply> {
    const { url } = arrived.replica;
    return this.#turns.take(url, async () => {
      try {
        return await this.#enterAlone(how, arrived);
      } finally {
        // At the end: whoever asked the catalog before may have heard that it is to go, and waits for this turn.
        this.#wanted.add(url);
      }
    });
  }

  /** A file that was known before stays, whatever comes of this: it may be somebody's own. */
  async #enterAlone(how: "addReplicas" | "addCopies", { replica, isKnown }: Arrived): Promise<CopyReply> {
    const { node, directory, catalog } = this.#options;
    const { url } = replica;
    const mayGo = this.#unsure.delete(url) || !isKnown;
    let reply: CopyReply | undefined;
    try {
      [reply] = await catalog[how](node, [rowOf(replica)]);
    } catch (error) {
      if (mayGo) this.#unsure.set(url, { replica });
      throw error;
    }
    if (reply === undefined) throw new TypeError("The catalog gave no answer");
    if (reply === "exists" || reply === "gone" || directory.find(url) !== undefined) return reply;
    await catalog.removeReplicas(node, [url]);
    throw new KitchenError(
      "KS_DATA_UNAVAILABLE",
      `The file of ${url} went while it was entered in the catalog (save it again)`,
    );
  }

  /**
   * Who saved or fetched these was told that it failed: they stay when the catalog has their data, and go when it does not.
   */
  async #settle(): Promise<void> {
    const { node, directory, catalog } = this.#options;
    const unsure = [...this.#unsure.values()];
    if (unsure.length === 0) return;
    const replies = await catalog.addCopies(
      node,
      unsure.map(({ replica }) => rowOf(replica)),
    );
    for (const [at, one] of unsure.entries()) {
      const { url, sha256 } = one.replica;
      // Somebody may have come again meanwhile.
      if (this.#unsure.get(url) !== one) continue;
      this.#unsure.delete(url);
      if (replies[at] === "gone" || replies[at] === "exists") await directory.remove(url, sha256);
    }
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
