import { types } from "node:util";
import { KitchenError } from "../core/errors.ts";
import { showCaller } from "../core/own-code.ts";
import type { Captured } from "./capture.ts";
import { modulesToBlame } from "./walk/blame.ts";
import type { LocalModule } from "./modules/local-modules.ts";
import { ModuleRefusal } from "./modules/module-refusal.ts";
import { packModule } from "./modules/module-units.ts";
import { areModulesKept, goesAsSource, keepByValue, sendAsSource } from "./modules/source-modules.ts";
import { Sources } from "./modules/sources.ts";
import { Walk } from "./walk/walk.ts";

/**
 * Captures a value; where what a local module holds is refused, once more with that module as source, until nothing is
 * refused. What remains refused is so as if nothing else had been tried.
 */
export function captureWithModules(value: unknown, rootName: string, isAll: boolean): Captured {
  const tried: LocalModule[] = [];
  let first: unknown;
  let sources = Sources.of(isAll);
  for (;;) {
    const walk = new Walk(rootName, sources);
    try {
      const captured = walk.run(value);
      if (!walk.isStale) return captured;
      // It learned of a module too late for something; the next one knows from the start.
      sources = walk.sources?.again();
    } catch (refusal) {
      first ??= refusal;
      if (isRefusal(refusal) && looksAround(walk)) {
        sources = walk.sources?.again();
        continue;
      }
      const more = isRefusal(refusal) ? nextToSend(walk, isAll, first) : [];
      if (more.length === 0) {
        keepByValue(tried);
        if (first !== refusal) setCause(first, refusal);
        if (first instanceof KitchenError) showCaller(first);
        throw first;
      }
      tried.push(...more);
      sendAsSource(more);
      sources = Sources.of(isAll);
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof KitchenError && error.code === "KS_CANNOT_CAPTURE";
}

/** Why it does not help to send the module instead. */
function setCause(refusal: unknown, cause: unknown): void {
  if ((refusal as Error).message === (cause as Error).message) return;
  Object.defineProperty(refusal, "cause", { value: cause, configurable: true, writable: true });
}

/** Whether modules that go as source have more to do with what was refused than the walk knew. */
function looksAround(walk: Walk): boolean {
  let isNew = false;
  for (const { owner } of walk.wayToRefused())
    if (typeof owner === "function" && !types.isProxy(owner))
      isNew = attempt(() => walk.sources?.lookAround(owner)) === true || isNew;
  return isNew;
}

/** Undefined when the text of a module cannot be read: what was refused stays refused. */
function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    if (error instanceof ModuleRefusal || error instanceof KitchenError) return undefined;
    throw error;
  }
}

/** The nearest module to blame that does not go as source yet, with those that it imports. */
function nextToSend(walk: Walk, isAll: boolean, first: unknown): LocalModule[] {
  if (areModulesKept()) return [];
  for (const module of modulesToBlame(walk)) {
    if (goesAsSource(module, isAll)) continue;
    try {
      const { imported } = packModule(module);
      return [module, ...imported].filter((one) => !goesAsSource(one, isAll));
    } catch (error) {
      if (!(error instanceof ModuleRefusal)) throw error;
      setCause(first, error);
    }
  }
  return [];
}
