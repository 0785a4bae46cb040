import { deserialize, serialize } from "node:v8";
import { types } from "node:util";
import { knownPath, knownValue } from "./known.ts";
import { isOwnClass } from "./origins.ts";
import type { Node } from "../wire/wire.ts";

/** Kinds of nodes that stand for what is there already, and functions, which are adopted when all is in place. */
const NOT_ADOPTED: ReadonlySet<Node[0]> = new Set([
  "function",
  "known",
  "shared",
  "builtin",
  "builtinNamespace",
  "package",
  "packageNamespace",
  "require",
  "member",
]);

/**
 * The vm context to which revived values are to belong. What is made in another one is an Array, a Map or an Error all
 * the same, but no `instanceof` of the classes there until its prototype is exchanged.
 */
export class Realm {
  readonly globals: object;
  readonly #adopted = new WeakSet<object>();
  /** By the prototypes that objects were made with; undefined for those that stay. */
  readonly #counterparts = new Map<object, object | undefined>();

  constructor(globals: object) {
    this.globals = globals;
  }

  /** Gives an object of the language's own classes the prototype that such an object has in this realm. */
  adopt(value: unknown): void {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return;
    if (types.isProxy(value) || !Object.isExtensible(value)) return;
    const proto = Object.getPrototypeOf(value) as object | null;
    const own = proto === null ? undefined : this.#counterpart(proto);
    if (own !== undefined && own !== proto) Object.setPrototypeOf(value, own);
    // That of a Buffer may be the pool of this process.
    if (ArrayBuffer.isView(value) && !Buffer.isBuffer(value)) this.adopt(value.buffer);
  }

  /** The same for data, with everything in it. */
  adoptData(data: unknown): void {
    const list: unknown[] = [data];
    while (list.length > 0) {
      const value = list.pop();
      if (typeof value !== "object" || value === null || this.#adopted.has(value)) continue;
      this.#adopted.add(value);
      this.adopt(value);
      for (const part of partsOf(value)) list.push(part);
    }
  }

  /** What was just made of a node, before its own prototype is put on. */
  adoptMade([kind]: Node, value: unknown): void {
    if (!NOT_ADOPTED.has(kind)) this.adopt(value);
  }

  /** Until all is made, classes are told from those that extend others by their prototypes. */
  adoptFunctions(nodes: readonly Node[], values: readonly unknown[]): void {
    for (const [id, [kind]] of nodes.entries()) {
      const fn = values[id];
      if (kind !== "function" || typeof fn !== "function" || isOwnClass(fn)) continue;
      this.adopt(fn);
      this.adopt(fn.prototype);
    }
  }

  #counterpart(proto: object): object | undefined {
    if (this.#counterparts.has(proto)) return this.#counterparts.get(proto);
    const path = knownPath(proto);
    const found = path === undefined ? undefined : this.#find(path);
    this.#counterparts.set(proto, found);
    return found;
  }

  #find(path: string): object | undefined {
    try {
      return knownValue(path, this.globals) as object;
    } catch {
      // A context may have lost a class of the language; then the value stays what it is.
      return undefined;
    }
  }
}

function partsOf(value: object): Iterable<unknown> {
  if (ArrayBuffer.isView(value)) return [];
  if (types.isMap(value)) return [...value].flat();
  return types.isSet(value) ? value : (Object.values(value) as unknown[]);
}

let isAtHome: boolean | undefined;

/**
 * The realm for values of the vm context with these globals; undefined when they are made there anyway. What Node itself
 * makes belongs to its main context, even where this package was loaded into another one.
 */
export function realmFor(globals: object | undefined): Realm | undefined {
  if (globals !== undefined) return new Realm(globals);
  isAtHome ??= Object.getPrototypeOf(deserialize(serialize({}))) === Object.prototype;
  return isAtHome ? undefined : new Realm(globalThis);
}
