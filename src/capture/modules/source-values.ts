import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { types } from "node:util";
import { moduleValue } from "./load-module.ts";
import { importsOf } from "./module-exports.ts";
import { ownSource, type SourceModule } from "./source-modules.ts";

/** A variable of a module that goes as source; `*` and `*.name` are its exports. */
export interface Variable {
  readonly module: SourceModule;
  readonly name: string;
}

/** What can be told from all else. */
export type Identity = object | symbol;

/** As what a name of a module's text goes; undefined for what belongs to a package, to Node, or to what loads modules. */
export function variableOf(module: SourceModule, name: string): Variable | undefined {
  if (name === "$ks_self") return { module, name: "*" };
  if (/^(\$ks_.*|imp0rt)$/.test(name)) return undefined;
  const source = module.text.imports.get(name);
  if (source === undefined) return { module, name };
  if (module.own === undefined) return source.specifier.startsWith("#") ? { module, name } : undefined;
  const origin = importsOf(module.own).get(name);
  return origin && { module: ownSource(origin.module), name: origin.name };
}

const { cache } = createRequire(import.meta.url);

/** What a module exports, whether or not a variable of its holds it too. */
export function exportsOf({ own, came, text }: SourceModule): [name: string, value: unknown][] {
  if (text.format !== "commonjs") {
    if (came === undefined || text.exports.get("default") !== "*.default") return [];
    return [["*.default", moduleValue(came, "*.default")]];
  }
  const exported =
    own === undefined ? came?.reach?.("module.exports") : (cache[fileURLToPath(own.url)]?.exports as unknown);
  if (!isIdentity(exported) || typeof exported === "symbol" || types.isProxy(exported)) return [];
  const found: [string, unknown][] = [["*", exported]];
  for (const key of Object.keys(exported)) {
    // What others put there is not there when the module is evaluated anew.
    if (text.text.includes(key))
      found.push([`*.${key}`, Reflect.getOwnPropertyDescriptor(exported, key)?.value]);
  }
  return found;
}

export function isIdentity(value: unknown): value is Identity {
  return (
    (typeof value === "object" && value !== null) || typeof value === "function" || typeof value === "symbol"
  );
}

export function isClass(value: Identity): value is object {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}
