import { scriptInfo, scriptSource } from "../scopes/inspect.ts";
import { type LocalModule, textOf } from "./local-modules.ts";
import type { Import } from "./module-names.ts";
import { readImports } from "./module-text.ts";
import { resolveLink } from "./resolve-link.ts";

/** A variable of a local module; `*` is the module as a whole, `*.name` what it exports without a variable. */
export interface ModuleVariable {
  readonly module: LocalModule;
  readonly name: string;
}

/** Where an import leads never changes. */
const followed = new WeakMap<Import, ModuleVariable>();
const imports = new Map<string, ReadonlyMap<string, Import>>();

/**
 * The variable of a local module that a name stands for in a script which imports it.
 *
 * @throws ModuleRefusal when the text of a module on the way cannot be read
 */
export function importedVariable(scriptId: string, name: string): ModuleVariable | undefined {
  const { url, isModule } = scriptInfo(scriptId);
  if (!isModule) return undefined;
  const known = imports.get(scriptId) ?? readImports(scriptSource(scriptId));
  imports.set(scriptId, known);
  const found = known.get(name);
  if (found === undefined) return undefined;
  const variable = followed.get(found) ?? follow({ url }, found);
  if (variable !== undefined) followed.set(found, variable);
  return variable;
}

function follow(from: { readonly url: string }, { specifier, name }: Import): ModuleVariable | undefined {
  const resolved = resolveLink(from, specifier);
  if (resolved.kind !== "module") return undefined;
  return name === "*" ? wholeOf(resolved.module) : exportedVariable(resolved.module, name);
}

/** What `import *` of a CommonJS module gives is an object that Node makes. */
function wholeOf(module: LocalModule): ModuleVariable | undefined {
  return module.format === "module" ? { module, name: "*" } : undefined;
}

function exportedVariable(
  module: LocalModule,
  exported: string,
  seen: ReadonlySet<LocalModule> = new Set(),
): ModuleVariable | undefined {
  if (seen.has(module)) return undefined;
  if (module.format === "commonjs") return { module, name: exported === "default" ? "*" : `*.${exported}` };
  const { exports, imports: own, stars } = textOf(module);
  const found = exports.get(exported);
  const source = typeof found === "string" ? own.get(found) : found;
  if (source !== undefined) return follow(module, source);
  if (typeof found === "string") return { module, name: found };
  for (const specifier of exported === "default" ? [] : stars) {
    const resolved = resolveLink(module, specifier);
    const inner =
      resolved.kind === "module"
        ? exportedVariable(resolved.module, exported, new Set([...seen, module]))
        : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** What the variables are that a module imports from other local ones. */
export function importsOf(module: LocalModule): Map<string, ModuleVariable> {
  const found = new Map<string, ModuleVariable>();
  for (const [name, source] of textOf(module).imports) {
    const variable = follow(module, source);
    if (variable !== undefined) found.set(name, variable);
  }
  return found;
}
