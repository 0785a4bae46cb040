import { CLASS_NAME_KEY } from "../../core/named-class.ts";

const BUILT_IN = new Set<unknown>(
  [Error, AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map(
    (kind) => kind.prototype,
  ),
);

/** The error with its causes and parts, each of a built-in class and marked with the name of the class it had. */
export function withNamedClasses(thrown: unknown, copies: Map<unknown, unknown> = new Map()): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const known = copies.get(thrown);
  if (known !== undefined) return known;
  const copy = new Error(thrown.message);
  copies.set(thrown, copy);
  const own: unknown = Object.getPrototypeOf(thrown);
  Object.setPrototypeOf(copy, builtInAbove(thrown));
  for (const key of Reflect.ownKeys(thrown)) {
    const value: unknown = Reflect.get(thrown, key);
    const enumerable = Object.prototype.propertyIsEnumerable.call(thrown, key);
    const copied = Array.isArray(value)
      ? value.map((part) => withNamedClasses(part, copies))
      : withNamedClasses(value, copies);
    Object.defineProperty(copy, key, { value: copied, enumerable, configurable: true, writable: true });
  }
  if (!BUILT_IN.has(own)) {
    const { name } = thrown.constructor;
    Object.defineProperty(copy, CLASS_NAME_KEY, {
      value: name,
      enumerable: false,
      configurable: true,
      writable: true,
    });
    if (!Object.hasOwn(copy, "name"))
      Object.defineProperty(copy, "name", {
        value: thrown.name,
        enumerable: false,
        configurable: true,
        writable: true,
      });
  }
  return copy;
}

function builtInAbove(error: Error): object {
  for (let at: object | null = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at))
    if (BUILT_IN.has(at)) return at;
  return Error.prototype;
}
