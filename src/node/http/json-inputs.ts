import { pointersInJson } from "../../codec/json-pointers.ts";
import { MAX_INPUTS } from "../../codec/wire.ts";
import { parseDataUrl, type DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";

/**
 * The data that arguments in JSON point to, each once, for a call that is to go where it lies.
 *
 * @throws KitchenError `KS_TOO_LARGE` for more than are looked at; `KS_BAD_REQUEST` for what is no data url
 */
export function inputsInJson(args: Uint8Array): readonly DataUrl[] {
  const urls = new Set<DataUrl>();
  for (const target of pointersInJson(args)) {
    urls.add(parseDataUrl(target));
    if (urls.size > MAX_INPUTS)
      throw new KitchenError(
        "KS_TOO_LARGE",
        `Cannot choose a node for a call that points to more than ${MAX_INPUTS} different data (save them together as one, or make the call without "Prefer: respond-async": it runs on the node that is asked)`,
      );
  }
  return [...urls];
}
