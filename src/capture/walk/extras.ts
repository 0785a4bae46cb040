import { types } from "node:util";
import type { Walk } from "./walk.ts";
import type { Extras, ProtoSlot } from "../wire/wire.ts";

/** Prototype, own properties and whether it can be extended: what an object has apart from its kind. */
export function extrasOf(
  walk: Walk,
  value: object,
  usual: object | undefined,
  isSkipped?: (key: string | symbol) => boolean,
): Extras {
  const proto: unknown = Object.getPrototypeOf(value);
  const protoSlot: ProtoSlot = proto === usual ? 0 : walk.slot(proto, "(prototype)");
  return [protoSlot, walk.properties(value, isSkipped), !Object.isExtensible(value)];
}

/** As every function with a prototype gets it. */
export function isUsualConstructor(prototype: object, owner: object): boolean {
  const descriptor = Reflect.getOwnPropertyDescriptor(prototype, "constructor");
  return (
    descriptor?.value === owner &&
    descriptor.writable === true &&
    descriptor.configurable === true &&
    descriptor.enumerable === false
  );
}

/**
 * What the prototype object of a function or class inherits from when it is made again; undefined when that cannot be
 * relied on, because the class extends a function, whose prototype object may be exchanged at any time.
 */
export function usualParent(owner: object, isClass: boolean): object | undefined {
  const parent = Object.getPrototypeOf(owner) as object | null;
  if (!isClass || parent === Function.prototype || parent === null) return Object.prototype;
  if (types.isProxy(parent)) return undefined;
  const descriptor = Reflect.getOwnPropertyDescriptor(parent, "prototype");
  return descriptor?.writable === false ? (descriptor.value as object) : undefined;
}
