import { analyse } from "../source/analyse.ts";
import type { Captured } from "../capture.ts";
import { staysGlobal } from "../resolve/known.ts";
import { isBareCode } from "../wire/wire.ts";

/** What a capture of a function depends on, when the function takes nothing from around it. */
interface Remembered {
  readonly captured: Captured;
  readonly shape: readonly unknown[];
}

const remembered = new WeakMap<object, Remembered>();

/** An earlier capture of the function, when a new one would come to the same. */
export function recall(fn: object): Captured | undefined {
  const known = remembered.get(fn);
  if (known === undefined) return undefined;
  const shape = shapeOf(fn);
  return shape.every((part, at) => Object.is(part, known.shape[at])) ? known.captured : undefined;
}

/** Keeps the capture of a function whose code is all there is, and stays all there is. */
export function remember(fn: object, captured: Captured): void {
  if (!isBareCode(captured.graph)) return;
  const { free } = analyse(Function.prototype.toString.call(fn));
  // A name that is nobody's now may be a global of the user's by the next time.
  for (const name of free.keys()) if (!staysGlobal(name)) return;
  remembered.set(fn, { captured, shape: shapeOf(fn) });
}

/** What users can change of a function and its prototype object. */
function shapeOf(fn: object): readonly unknown[] {
  const { name, length, prototype } = fn as { name?: unknown; length?: unknown; prototype?: unknown };
  const shape = [
    Reflect.ownKeys(fn).length,
    name,
    length,
    Object.getPrototypeOf(fn),
    Object.isExtensible(fn),
    prototype,
  ];
  if (typeof prototype === "object" && prototype !== null)
    shape.push(
      Reflect.ownKeys(prototype).length,
      Object.getPrototypeOf(prototype),
      Reflect.get(prototype, "constructor"),
      Object.isExtensible(prototype),
    );
  return shape;
}
