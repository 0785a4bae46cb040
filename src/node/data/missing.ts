/** What is said of data that cannot be had. */
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { DataRecord } from "../../store/catalog.ts";

export function noSuchData(url: DataUrl): KitchenError {
  return new KitchenError(
    "KS_NO_SUCH_DATA",
    `Nothing is saved under ${url} (c.data.search("**") lists what there is)`,
  );
}

export function lost(url: DataUrl): KitchenError {
  return new KitchenError(
    "KS_DATA_LOST",
    `The data ${url} are lost: no replica is left (save them again; pipeline({ copies: 2 }) keeps more than one)`,
  );
}

export function allAway({ url, replicas }: DataRecord): KitchenError {
  return new KitchenError(
    "KS_DATA_UNAVAILABLE",
    `Cannot reach the data ${url}: the nodes that have them are away: ${replicas.join(", ")} (start one of them)`,
  );
}
