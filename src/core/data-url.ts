import { KitchenError } from "./errors.ts";

/** The name of stored data: a relative path such as `mylarge/dataset`, under which nodes keep it as a file. */
export type DataUrl = string & { readonly __brand: "DataUrl" };

/** In bytes of UTF-8: what file systems take as one name, and what a request's line has room for. */
const MAX_SEGMENT_BYTES = 200;
const MAX_BYTES = 1_000;
const BAD_CHARACTER = /[\p{Cc}\p{Cs}\\]/u;

/**
 * Reads a data url.
 *
 * @throws KitchenError `KS_BAD_REQUEST` for what is no relative path, leads out of the data directory, or is the node's own
 * @example
 * ```ts
 * parseDataUrl("mylarge/dataset"); // "mylarge/dataset"
 * parseDataUrl("../secrets"); // throws
 * ```
 */
export function parseDataUrl(text: unknown): DataUrl {
  if (typeof text !== "string") throw malformed(typeof text, "it is no text");
  const why = fault(text);
  if (why !== undefined) throw malformed(JSON.stringify(text.slice(0, 100)), why);
  return text as DataUrl;
}

/** Tells whether a path relative to a data directory can be a data url. */
export function isDataUrl(text: string): text is DataUrl {
  return fault(text) === undefined;
}

function fault(text: string): string | undefined {
  if (text === "") return "it is empty";
  if (text.startsWith("/")) return "it begins with a slash";
  if (byteLength(text) > MAX_BYTES) return `it is longer than ${MAX_BYTES} bytes`;
  if (BAD_CHARACTER.test(text)) return "it has a control character, half a character, or a backslash";
  if (text !== text.normalize("NFC")) return "its letters are decomposed (normalize it to NFC)";
  for (const segment of text.split("/")) {
    if (segment === "") return "it has an empty part between slashes, or ends with a slash";
    // Names that begin with a dot are the node's own, or hidden: `.` and `..` among them.
    if (segment.startsWith(".")) return `its part "${segment}" begins with a dot`;
    if (byteLength(segment) > MAX_SEGMENT_BYTES)
      return `it has a part that is longer than ${MAX_SEGMENT_BYTES} bytes`;
  }
  return undefined;
}

function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function malformed(shown: string, why: string): KitchenError {
  return new KitchenError(
    "KS_BAD_REQUEST",
    `Not a data url: ${shown}: ${why} (expected a relative path such as mylarge/dataset)`,
  );
}
