import { KitchenError } from "../core/errors.ts";
import { cannotDecode } from "./wire.ts";

const byName = new Map<string, object>();
// One a process, not one a copy of this package: whichever copy a captured function got something from, it has the name.
const NAMES = Symbol.for("kitchensink.shared-names");
const holder = globalThis as { [NAMES]?: WeakMap<object, string> };
const names = (holder[NAMES] ??= new WeakMap<object, string>());

/**
 * Lets a class or object that every process has by itself go as a name instead of by value. Both sides have to call
 * this with the same name.
 *
 * @example
 * ```ts
 * shareByName("my-app:NotFound", NotFound);
 * ```
 */
export function shareByName(name: string, value: object): void {
  byName.set(name, value);
  names.set(value, name);
  const prototype = typeof value === "function" ? (value.prototype as unknown) : undefined;
  if (typeof prototype === "object" && prototype !== null) names.set(prototype, name + PROTOTYPE);
}

const PROTOTYPE = " prototype";

/** The name under which every process shares its own `import()`. */
export const IMPORT_NAME = "kitchensink:import";
/** Vitest turns `import()` into calls of a function under this name. */
const REWRITTEN_IMPORT = "__vite_ssr_dynamic_import__";

/** Lets a test runner's stand-in for `import()` mean `import()` on the other side. */
export function shareRewrittenImport(variable: string, value: unknown): void {
  if (variable === REWRITTEN_IMPORT && typeof value === "function") names.set(value, IMPORT_NAME);
}

export function sharedName(value: object): string | undefined {
  return names.get(value);
}

/** @throws KitchenError `KS_CANNOT_DECODE` when nothing has this name here */
export function sharedValue(name: string): unknown {
  const isPrototype = name.endsWith(PROTOTYPE);
  const value = byName.get(isPrototype ? name.slice(0, -PROTOTYPE.length) : name);
  if (value === undefined) throw cannotDecode(`nothing is shared under the name "${name}" here`);
  return isPrototype ? (value as { prototype: object }).prototype : value;
}

shareByName("kitchensink:KitchenError", KitchenError);
