/** What is said of data that cannot be had. */
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { Catalog, DataRecord } from "../../store/catalog.ts";

/** Why the catalog does not have it. */
export async function missing(catalog: Pick<Catalog, "lostData">, url: DataUrl): Promise<KitchenError> {
  const [isLost = false] = await catalog.lostData([url]);
  return isLost ? lost(url) : noSuchData(url);
}

function noSuchData(url: DataUrl): KitchenError {
  return new KitchenError(
    "KS_NO_SUCH_DATA",
    `Nothing is saved under ${url} (c.data.search("**") lists what there is)`,
  );
}

/** Data of which every replica is gone or damaged, and none was deleted. */
export function lost(url: DataUrl): KitchenError {
  return new KitchenError(
    "KS_DATA_LOST",
    `The data ${url} are lost: no replica is left (save them again; pipeline({ copies: 2 }) keeps more than one)`,
  );
}

/** What a node says of data that it has no room for, or no wish: they can be read where they are. */
export class NotKept extends KitchenError {
  constructor(url: DataUrl, { node, why }: { readonly node: string; readonly why: string }) {
    super(
      "KS_DATA_UNAVAILABLE",
      `Cannot have a file of ${url} on ${node}: it has no replica, and ${why} (read it with obj(), raw() or stream())`,
    );
  }
}

/** `failures`: of each node that was asked, why it gave nothing. */
export function noneGave({ url }: DataRecord, failures: readonly string[]): KitchenError {
  return new KitchenError(
    "KS_DATA_UNAVAILABLE",
    `Cannot read the data ${url}: no node gave them: ${failures.join("; ")} (try again)`,
  );
}

export function allAway({ url, replicas }: DataRecord): KitchenError {
  return new KitchenError(
    "KS_DATA_UNAVAILABLE",
    `Cannot reach the data ${url}: the nodes that have them are away: ${replicas.join(", ")} (start one of them)`,
  );
}
