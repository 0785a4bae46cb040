import { compileUnit, setCode } from "./revive/compile.ts";
import { decodePlain } from "./wire/plain.ts";
import { type Realm, realmFor } from "./resolve/realm.ts";
import { Rebuild } from "./revive/rebuild.ts";
import { type FunctionCode, hashOf } from "./wire/units.ts";
import { cannotDecode, decodeLone, decodeTable, TAG, unbundle } from "./wire/wire.ts";

export { setImporter } from "./resolve/importing.ts";
export { setModuleFiles } from "./modules/evaluate-files.ts";

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
  return reviveInto(realmFor(undefined), graph, unitBytes);
}

function reviveInto(
  realm: Realm | undefined,
  graph: Uint8Array,
  unitBytes: (hash: string) => Uint8Array,
): unknown {
  switch (graph[0]) {
    case TAG.msgpack:
    case TAG.v8: {
      const data = decodePlain(graph);
      realm?.adoptData(data);
      return data;
    }
    case TAG.table:
      return new Rebuild(decodeTable(graph), unitBytes, realm).run();
    case TAG.lone:
      return reviveLone(realm, graph, unitBytes);
    default:
      throw cannotDecode("the bytes have another format, or come from a newer version");
  }
}

/** Where a value is made. */
export interface ReviveOptions {
  /** The global object of the vm context whose Array, Error and so on the value is to be made of. Default: this one. */
  readonly realm?: object | undefined;
}

/**
 * Makes the value again that {@link capture} wrote.
 *
 * @throws KitchenError `KS_CANNOT_DECODE` when the bytes are damaged, `KS_CANNOT_CAPTURE` when they refer to a package that
 *   is not here
 *
 * @example
 * ```ts
 * const add = revive(capture((a: number, b: number) => a + b)) as (a: number, b: number) => number;
 * ```
 */
export function revive(bytes: Uint8Array, { realm: globals }: ReviveOptions = {}): unknown {
  const realm = realmFor(globals);
  if (bytes[0] !== TAG.bundle) return reviveInto(realm, bytes, unknownUnit);
  const [graph, ...parts] = unbundle(bytes);
  if (graph === undefined) throw cannotDecode("the bytes end too early");
  // A single one is compared with its hash when it is compiled, and hashing it to find it would take as long again.
  const [only] = parts.length === 1 ? parts : [];
  let units: Map<string, Uint8Array> | undefined;
  return reviveInto(realm, graph, (hash) => {
    if (only !== undefined) return only;
    units ??= new Map(parts.map((part) => [hashOf(part), part]));
    return units.get(hash) ?? unknownUnit(hash);
  });
}

function unknownUnit(hash: string): never {
  throw cannotDecode(`the code ${hash} is missing`);
}

function reviveLone(
  realm: Realm | undefined,
  graph: Uint8Array,
  unitBytes: (hash: string) => Uint8Array,
): unknown {
  const { hash, values } = decodeLone(graph);
  const { single, shape } = compileUnit(hash, unitBytes);
  const [code] = shape.members;
  if (single === undefined || code === undefined) throw cannotDecode("a unit of code is damaged");
  const [fn, put] = single();
  const taken = valuesFor(code, values);
  realm?.adoptData(taken);
  put?.(taken);
  setCode(fn, code);
  return fn;
}

function valuesFor({ names }: FunctionCode, bytes: Uint8Array | undefined): readonly unknown[] {
  const values = bytes === undefined ? [] : decodePlain(bytes);
  if (!Array.isArray(values) || values.length !== names.length)
    throw cannotDecode("it has other variables than its code");
  return values;
}
