import { Script } from "node:vm";
import { analyse } from "../source/analyse.ts";
import type { Importing } from "../resolve/importing.ts";
import { loadModule } from "./load-module.ts";
import { type LocalModule, textOf } from "./local-modules.ts";
import type { ModuleRef } from "./module-code.ts";
import { packedAs } from "./module-units.ts";
import { ownVariable } from "./own-variables.ts";
import type { FunctionCode, ScopeShape } from "../wire/units.ts";
import { cannotDecode } from "../wire/wire.ts";

/** The top level of a module, as functions see it that are made there. */
export interface ModuleScope {
  readonly evaluate: (text: string, fileName: string) => unknown;
  /** What `import` means there, unless it means what it does everywhere. */
  readonly importing?: Importing;
}

/** Evaluates the module first, unless it is one of this process, or was evaluated. */
export function moduleScope(
  ref: ModuleRef,
  shape: ScopeShape,
  unitBytes: (hash: string) => Uint8Array,
): ModuleScope {
  const home = packedAs(ref);
  if (home !== undefined) return homeScope(home.module, shape);
  const { within, importing, code } = loadModule(ref, unitBytes);
  if (within === undefined) throw cannotDecode(`the module ${code.url} was not evaluated to its end`);
  return { evaluate: (text, fileName) => within(`${text}\n//# sourceURL=${fileName}`), importing };
}

/**
 * Where the module came from its top level cannot be entered, but what never changes there can be handed in.
 *
 * @throws KitchenError `KS_CANNOT_DECODE` when the functions use what changes
 */
function homeScope(module: LocalModule, shape: ScopeShape): ModuleScope {
  const text = textOf(module);
  const names = [...namesFrom(shape)].filter((name) => text.names.has(name));
  const changing = names.find((name) => text.changing.has(name));
  if (changing !== undefined)
    throw cannotDecode(
      `a function that came back uses the variable ${changing} of ${module.url}, which changes there (return what it computes)`,
    );
  const values = names.map((name) => ownVariable(module, name));
  return {
    evaluate: (program, filename) => {
      const script = new Script(`(function(${names.join(",")}){return${program}})`, { filename });
      return (script.runInThisContext() as (...values: unknown[]) => unknown)(...values);
    },
  };
}

/** Names that functions take from outside of their unit. */
function namesFrom(shape: ScopeShape, around: ReadonlySet<string> = new Set()): Set<string> {
  const inner = new Set([...around, ...shape.names]);
  const own = shape.members.flatMap((code) => freeIn(code).filter((name) => !inner.has(name)));
  return new Set([...own, ...shape.children.flatMap((child) => [...namesFrom(child, inner)])]);
}

function freeIn({ source, names, klass }: FunctionCode): string[] {
  const own = [...analyse(source).free.keys()].filter((name) => !names.includes(name));
  return [...own, ...(klass?.embedded ?? []).flatMap(freeIn)];
}
