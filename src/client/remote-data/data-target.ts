import { v7 } from "uuid";
import { parseDataUrl, type DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";

/** Under which url a result is saved: the one given, a fresh one under a prefix, or `data/<uuid>`. */
export interface DataTarget {
  /** A relative path, such as `mylarge/dataset`. */
  readonly url?: string | undefined;
  /** What stands before a fresh name; not together with `url`. */
  readonly prefix?: string | undefined;
}

/** @throws KitchenError `KS_USAGE` for both a url and a prefix, `KS_BAD_REQUEST` for what is none */
export function checkTarget({ url, prefix }: DataTarget): void {
  if (url !== undefined) parseDataUrl(url);
  if (prefix !== undefined) parseDataUrl(trimmed(prefix));
  if (url !== undefined && prefix !== undefined)
    throw new KitchenError("KS_USAGE", "Cannot save with both url and prefix: give one of them, or neither");
}

/** What is saved keeps its url. @throws KitchenError `KS_USAGE` for another one */
export function checkSame(known: string, { url, prefix }: DataTarget): void {
  const isSame = url === undefined || url === known;
  const isUnder = prefix === undefined || known.startsWith(`${trimmed(prefix)}/`);
  if (isSame && isUnder) return;
  throw new KitchenError(
    "KS_USAGE",
    `Cannot save it under ${url ?? prefix}: it is saved under ${known} already (make a new RemoteData for a second copy)`,
  );
}

/** A url that nobody has used: sorted, those made later come later. */
export function freshUrl(prefix: string): DataUrl {
  return parseDataUrl(`${trimmed(prefix)}/${v7()}`);
}

function trimmed(prefix: string): string {
  return prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
}
