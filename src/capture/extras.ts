import type { Walk } from "./walk.ts";
import type { Extras, ProtoSlot } from "./wire.ts";

/** Prototype, own properties and whether it can be extended: what an object has apart from its kind. */
export function extrasOf(
  walk: Walk,
  value: object,
  usual: object,
  isSkipped?: (key: string | symbol) => boolean,
): Extras {
  const proto: unknown = Object.getPrototypeOf(value);
  const protoSlot: ProtoSlot = proto === usual ? 0 : walk.slot(proto, "(prototype)");
  return [protoSlot, walk.properties(value, isSkipped), !Object.isExtensible(value)];
}

/** As every function with a prototype gets it. */
export function isUsualConstructor(prototype: object): boolean {
  const descriptor = Reflect.getOwnPropertyDescriptor(prototype, "constructor");
  return descriptor?.writable === true && descriptor.configurable === true && descriptor.enumerable === false;
}
