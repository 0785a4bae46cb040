import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { KitchenError } from "../../core/errors.ts";
import { scriptInfo } from "../scopes/inspect.ts";
import { loadedModule, type LocalModule, localModule, textOf } from "../modules/local-modules.ts";
import { importedVariable } from "../modules/module-exports.ts";
import { ModuleRefusal } from "../modules/module-refusal.ts";
import { isOfModule } from "../modules/module-scopes.ts";
import { surroundingsOf } from "../scopes/scopes.ts";
import type { Walk } from "./walk.ts";

/** The local modules through whose variables a walk came to what it refused, the nearest first. */
export function modulesToBlame(walk: Walk): LocalModule[] {
  const found = new Set<LocalModule>();
  for (const { owner, label } of walk.wayToRefused()) {
    const name = /^captured "(.+)"$/.exec(label)?.[1];
    const module =
      name !== undefined && typeof owner === "function" ? holderOf(owner, name) : exporterOf(owner);
    if (module !== undefined) found.add(module);
  }
  return [...found];
}

function holderOf(fn: object, name: string): LocalModule | undefined {
  try {
    return findHolder(fn, name);
  } catch (error) {
    if (error instanceof ModuleRefusal || error instanceof KitchenError) return undefined;
    throw error;
  }
}

function findHolder(fn: object, name: string): LocalModule | undefined {
  const around = surroundingsOf(fn);
  if (around.scriptId === "") return undefined;
  const module = localModule(around.scriptId);
  const isModule = module?.format ?? (scriptInfo(around.scriptId).isModule ? "module" : undefined);
  if (
    isModule === "module" &&
    !around.scopes.some(({ kind, variables }) => kind === "module" && Object.hasOwn(variables, name))
  )
    return undefined;
  const imported = importedVariable(around.scriptId, name)?.module;
  if (imported !== undefined || module === undefined) return imported;
  return isOfModule(around, textOf(module), name) ? module : undefined;
}

const { cache } = createRequire(import.meta.url);

/** What a CommonJS module exports is as good as its variables. */
function exporterOf(owner: unknown): LocalModule | undefined {
  if (typeof owner !== "object" || owner === null) return undefined;
  const file = Object.keys(cache).find((one) => cache[one]?.exports === owner);
  return file === undefined ? undefined : loadedModule(pathToFileURL(file).href);
}
