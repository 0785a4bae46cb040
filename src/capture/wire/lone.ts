import { encodeAs, primitiveFidelity } from "./plain.ts";
import { inlined, isReference, type Lone, type Node, type Slot } from "./wire.ts";

/**
 * One function of which code and plain values are all there is: no properties, no peculiarities. Else undefined.
 *
 * @param needsV8 whether data among the values needs that format, which was found when it was looked at
 */
export function loneOf(
  nodes: readonly Node[],
  hashes: readonly string[],
  needsV8: boolean,
): Lone | undefined {
  const [node] = nodes;
  const [hash] = hashes;
  const isAlone = nodes.length === 1 && hashes.length === 1;
  if (!isAlone || node?.[0] !== "function" || hash === undefined) return undefined;
  const { captures, properties, removed, sealed, proto, klass, lexicalThis, lexicalArguments, home } =
    node[1];
  const hasLexicals = lexicalThis !== undefined || lexicalArguments !== undefined || home !== undefined;
  if (
    properties.length > 0 ||
    removed !== undefined ||
    sealed ||
    proto !== 0 ||
    klass !== undefined ||
    hasLexicals
  )
    return undefined;
  if (captures.length === 0) return { hash, values: undefined };
  if (captures.some(isReference)) return undefined;
  const fidelity = needsV8 || captures.some(isSpecial) ? "v8" : "msgpack";
  return { hash, values: encodeAs(fidelity, captures.map(inlined)) };
}

function isSpecial(slot: Slot): boolean {
  return !Array.isArray(slot) && primitiveFidelity(slot) === "v8";
}
