import { types } from "node:util";

export type Collection = WeakMap<object, unknown> | WeakSet<object> | Map<unknown, unknown> | Set<unknown>;

export function isCollection(value: unknown): value is Collection {
  return types.isWeakMap(value) || types.isWeakSet(value) || types.isMap(value) || types.isSet(value);
}

/** Without running what a subclass puts in the place of `has`. */
export function hasKey(collection: Collection, value: object): boolean {
  if (types.isWeakMap(collection)) return WeakMap.prototype.has.call(collection, value);
  if (types.isWeakSet(collection)) return WeakSet.prototype.has.call(collection, value);
  return types.isMap(collection)
    ? Map.prototype.has.call(collection, value)
    : Set.prototype.has.call(collection, value);
}
