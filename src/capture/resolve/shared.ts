import { KitchenError } from "../../core/errors.ts";
import { cannotDecode } from "../wire/wire.ts";

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
const COUNTERS_NAME = "kitchensink:counters";

/** Lets what a tool wrote into the text of a function mean what it stands for on the other side. */
export function shareStandIn(variable: string, value: unknown): void {
  if (typeof value !== "function") return;
  if (variable === REWRITTEN_IMPORT) names.set(value, IMPORT_NAME);
  if (isCounters(variable, value)) names.set(value, COUNTERS_NAME);
}

/**
 * Istanbul puts `cov_1a2b3c().s[4]++` before each statement. The function gives all that it knows of the file, which
 * would travel with each call of a function from that file, for counts that nobody reads there.
 */
function isCounters(variable: string, value: object): boolean {
  return (
    /^cov_\w+$/.test(variable) && /\breturn actualCoverage\b/.test(Function.prototype.toString.call(value))
  );
}

/** Counts what nobody asks for. Branches are counted in a list each. */
function harmlessCounters(): object {
  const lists = (): object =>
    new Proxy<Record<string | symbol, number[]>>({}, { get: (target, key) => (target[key] ??= []) });
  return { s: {}, f: {}, b: lists(), bT: lists() };
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
const counters = harmlessCounters();
shareByName(COUNTERS_NAME, () => counters);
