import { types } from "node:util";
import { isPlainObject } from "./walk.ts";

export interface Replacement {
  readonly by: unknown;
}

/**
 * A copy of data in which objects are replaced, wherever they are: what is one object in the data is one in the copy.
 * Without recursion, as depth is no limit.
 *
 * @param replace gives what stands in the place of an object; undefined: a copy, as of anything that holds others
 */
export function rewritten(root: unknown, replace: (value: object) => Replacement | undefined): unknown {
  const copies = new Map<object, unknown>();
  const toFill: (readonly [value: object, copy: object])[] = [];
  const copyOf = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (copies.has(value)) return copies.get(value);
    const replaced = replace(value);
    if (replaced !== undefined) {
      copies.set(value, replaced.by);
      return replaced.by;
    }
    const copy = emptyCopy(value);
    if (copy === undefined) return value;
    copies.set(value, copy);
    toFill.push([value, copy]);
    return copy;
  };
  const result = copyOf(root);
  for (const [value, copy] of toFill) fill(value, copy, copyOf);
  return result;
}

/** Undefined for what holds no other objects. */
function emptyCopy(value: object): object | undefined {
  if (Array.isArray(value)) return Array.from({ length: 0 });
  if (types.isMap(value)) return new Map();
  if (types.isSet(value)) return new Set();
  if (types.isNativeError(value)) return errorLike(value);
  return isPlainObject(value) ? {} : undefined;
}

function errorLike(error: Error): Error {
  const copy = new Error(error.message);
  Object.defineProperty(copy, "stack", { value: error.stack, configurable: true, writable: true });
  return Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object) as Error;
}

function fill(value: object, copy: object, copyOf: (value: unknown) => unknown): void {
  if (copy instanceof Map)
    for (const [key, held] of value as ReadonlyMap<unknown, unknown>) copy.set(copyOf(key), copyOf(held));
  else if (copy instanceof Set) for (const held of value as ReadonlySet<unknown>) copy.add(copyOf(held));
  else if (types.isNativeError(copy)) {
    if (Object.hasOwn(value, "cause")) setOwn(copy, "cause", copyOf((value as Error).cause), false);
  } else {
    for (const [key, held] of Object.entries(value)) setOwn(copy, key, copyOf(held));
    if (Array.isArray(copy)) copy.length = (value as readonly unknown[]).length;
  }
}

/** Defined, because assigning to `__proto__` does something else. */
function setOwn(target: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(target, key, { value, enumerable, configurable: true, writable: true });
}
