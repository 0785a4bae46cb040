import { encodePlain } from "./wire/plain.ts";
import { recall, remember } from "./walk/remembered.ts";
import type { CodeUnit } from "./wire/units.ts";
import { captureWithModules } from "./capture-with-modules.ts";
import { bundle } from "./wire/wire.ts";

export type { CodeUnit } from "./wire/units.ts";

/**
 * A captured value: `graph` holds values and refers to code by hash, `units` is that code, `pointers` the targets of
 * pointers that the graph holds; each once.
 */
export interface Captured {
  readonly graph: Uint8Array;
  readonly units: readonly CodeUnit[];
  readonly pointers: readonly string[];
}

/** How a value is captured. */
export interface CaptureOptions {
  /** Where a refusal's path begins, such as `args[0]`. */
  readonly rootName?: string;
  /**
   * How local modules travel, files of the user's that were imported: by value, what is used of them with the state it has
   * now, or as source, so that they are evaluated anew where they arrive. Those that cannot travel by value go as source
   * in any case.
   */
  readonly modules?: ModulesOption;
}

/** How local modules travel: what is used of them by its value now, or all of them as source, evaluated anew. */
export type ModulesOption = "value" | "source";

const NO_UNITS: readonly CodeUnit[] = [];
const NO_POINTERS: readonly string[] = [];

/**
 * Captures a value with every function, class and variable it refers to, as they are now, in parts: code, which
 * need travel only once, and values; with what the pointers among the values point to.
 *
 * @throws KitchenError `KS_CANNOT_CAPTURE` that names the way to what cannot travel
 *
 * @example
 * ```ts
 * const { graph, units } = captureParts(() => rows.length);
 * ```
 */
export function captureParts(
  value: unknown,
  { rootName = "", modules = "value" }: CaptureOptions = {},
): Captured {
  const plain = encodePlain(value);
  if (plain !== undefined) return { graph: plain, units: NO_UNITS, pointers: NO_POINTERS };
  const isAll = modules === "source";
  if (typeof value !== "function" || isAll) return captureWithModules(value, rootName, isAll);
  const known = recall(value);
  if (known !== undefined) return known;
  const captured = captureWithModules(value, rootName, isAll);
  remember(value, captured);
  return captured;
}

/**
 * Captures a value with every function, class and variable it refers to, as they are now.
 *
 * @throws KitchenError `KS_CANNOT_CAPTURE` that names the way to what cannot travel
 *
 * @example
 * ```ts
 * const factor = 3;
 * const triple = revive(capture((x: number) => x * factor)) as (x: number) => number;
 * ```
 */
export function capture(value: unknown, options: CaptureOptions = {}): Uint8Array {
  const { graph, units } = captureParts(value, options);
  return units.length === 0 ? graph : bundle(graph, units);
}
