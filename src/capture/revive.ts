import { compileUnit, setCode } from "./compile.ts";
import { decodePlain } from "./plain.ts";
import { Rebuild } from "./rebuild.ts";
import { hashOf } from "./units.ts";
import { cannotDecode, decodeTable, TAG, unbundle } from "./wire.ts";

export { setImporter } from "./importing.ts";
export { setModuleFiles } from "./evaluate-files.ts";

/**
 * Makes the value again that {@link captureParts} took apart. Code is compiled once for each hash; variables are new
 * with every revival.
 *
 * @param unitBytes gives the bytes of a unit; asked only for those that were never compiled here
 * @throws KitchenError `KS_CANNOT_DECODE` when the bytes are damaged, `KS_CANNOT_CAPTURE` when they refer to a package
 *   that is not here
 *
 * @example
 * ```ts
 * const value = reviveParts(graph, (hash) => store.get(hash));
 * ```
 */
export function reviveParts(graph: Uint8Array, unitBytes: (hash: string) => Uint8Array): unknown {
  switch (graph[0]) {
    case TAG.msgpack:
    case TAG.v8:
      return decodePlain(graph);
    case TAG.table:
      return new Rebuild(decodeTable(graph), unitBytes).run();
    case TAG.lone:
      return reviveLone(graph, unitBytes);
    default:
      throw cannotDecode("the bytes have another format, or come from a newer version");
  }
}

/**
 * Makes the value again that {@link capture} wrote.
 *
 * @throws KitchenError as {@link reviveParts} does
 *
 * @example
 * ```ts
 * const add = revive(capture((a: number, b: number) => a + b)) as (a: number, b: number) => number;
 * ```
 */
export function revive(bytes: Uint8Array): unknown {
  if (bytes[0] !== TAG.bundle) return reviveParts(bytes, unknownUnit);
  const [graph, ...parts] = unbundle(bytes);
  if (graph === undefined) throw cannotDecode("the bytes end too early");
  let units: Map<string, Uint8Array> | undefined;
  return reviveParts(graph, (hash) => {
    units ??= new Map(parts.map((part) => [hashOf(part), part]));
    return units.get(hash) ?? unknownUnit(hash);
  });
}

function unknownUnit(hash: string): never {
  throw cannotDecode(`the code ${hash} is missing`);
}

/** One function that captures nothing: its hash is all there is. */
function reviveLone(graph: Uint8Array, unitBytes: (hash: string) => Uint8Array): unknown {
  const hash = Buffer.from(graph.buffer, graph.byteOffset, graph.byteLength).toString("latin1", 1);
  const { single, shape } = compileUnit(hash, unitBytes);
  const [code] = shape.members;
  if (single === undefined || code === undefined) throw cannotDecode("a unit of code is damaged");
  const [fn] = single();
  setCode(fn, code);
  return fn;
}
