import { KitchenError } from "../core/errors.ts";
import { isOfSameRealm } from "../core/realms.ts";
import { jsonCodec } from "./json.ts";
import { structuredCodec } from "./structured.ts";

/**
 * Turns values into bytes and back. `encode` throws KitchenError `KS_CANNOT_ENCODE`, with the path to the culprit,
 * for what `decode` could not give back as it was: a codec never sends something wrong.
 *
 * @example
 * ```ts
 * const text: Codec = {
 *   name: "text",
 *   encode: (value) => Buffer.from(String(value)),
 *   decode: (bytes) => Buffer.from(bytes).toString(),
 * };
 * ```
 */
export interface Codec {
  /** What the option `codec` calls it: lower case letters, digits, `.` and `-`. */
  readonly name: string;
  /**
   * Makes bytes of a value.
   *
   * @param rootName what a refusal's path begins with: `args`, `result`
   * @throws KitchenError `KS_CANNOT_ENCODE` for a value that it cannot carry
   */
  encode(value: unknown, rootName?: string): Uint8Array;
  /** Makes the value again. @throws KitchenError `KS_CANNOT_DECODE` for bytes that it did not write */
  decode(bytes: Uint8Array): unknown;
}

/** Built on capturing, which codec must not know: where values are encoded, it is asked for by this name. */
export const CLOSURE_CODEC = "closure";
const NAME = /^[a-z][a-z0-9.-]{0,31}$/;
const codecs = new Map<string, Codec>([
  [jsonCodec.name, jsonCodec],
  [structuredCodec.name, structuredCodec],
]);

/**
 * Makes a codec known by its name in this process. Both sides need it: register it where the client is, and in a
 * `--module` file for the workers.
 *
 * @throws KitchenError `KS_USAGE` for a name that is taken, or not of lower case letters, digits, `.` and `-`
 * @example
 * ```ts
 * import { decode, encode } from "cbor-x";
 * registerCodec({ name: "cbor", encode, decode });
 * const c = new Client("http://localhost:6323/", { codec: "cbor" });
 * ```
 */
export function registerCodec(codec: Codec): void {
  if (!NAME.test(codec.name))
    throw new KitchenError(
      "KS_USAGE",
      `Cannot register a codec as "${codec.name}": use lower case letters, digits, . and -`,
    );
  const known = codecs.get(codec.name);
  // Jest runs test files one after the other in a realm each, and each registers its own.
  const isTaken = known !== undefined && known !== codec && (isBuiltIn(known) || isOfSameRealm(known, codec));
  if (isTaken || codec.name === CLOSURE_CODEC)
    throw new KitchenError(
      "KS_USAGE",
      `Cannot register a second codec as "${codec.name}": choose another name`,
    );
  codecs.set(codec.name, codec);
}

/** Whether it is one of this package's own, which tell of the pointers that they encode. */
export function isBuiltIn(codec: Codec): boolean {
  return codec === jsonCodec || codec === structuredCodec;
}

/** @throws KitchenError `KS_UNKNOWN_CODEC` */
export function codecNamed(name: string): Codec {
  const codec = codecs.get(name);
  if (codec !== undefined) return codec;
  throw new KitchenError(
    "KS_UNKNOWN_CODEC",
    `No codec is called "${name}" here (known: ${[CLOSURE_CODEC, ...codecs.keys()].join(", ")}): register it with registerCodec, in the client and in a --module file`,
  );
}
