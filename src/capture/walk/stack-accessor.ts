import { realmOf } from "../resolve/known.ts";

const stackAccessors = new WeakMap<object, PropertyDescriptor>();

/** What some versions of the runtime put on errors and on what `Error.captureStackTrace` was given, in each realm. */
function stackAccessorOf(realm: object): PropertyDescriptor {
  const known = stackAccessors.get(realm);
  if (known !== undefined) return known;
  const { Error: OwnError } = realm as typeof globalThis;
  const accessor = Object.getOwnPropertyDescriptor(new OwnError(), "stack") ?? {};
  stackAccessors.set(realm, accessor);
  return accessor;
}

/** `stack` is an accessor of the runtime's own in some versions, so it goes as the text that it gives. */
export function withoutRuntimesOwn(value: object, descriptor: PropertyDescriptor): PropertyDescriptor {
  const { get, set, enumerable = false, configurable = false } = descriptor;
  if (get === undefined) return descriptor;
  const { get: stackGetter, set: stackSetter } = stackAccessorOf(realmOf(value) ?? globalThis);
  if (stackGetter !== undefined && get === stackGetter)
    return {
      enumerable,
      configurable,
      writable: true,
      value: Reflect.apply(stackGetter, value, []) as unknown,
    };
  if (set === undefined || set !== stackSetter) return descriptor;
  return { enumerable, configurable, get };
}
