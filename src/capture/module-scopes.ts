import { offsetOf } from "./homes.ts";
import { scriptSource } from "./inspect.ts";
import type { ModuleText } from "./module-text.ts";
import { type Surroundings, surroundingsOf } from "./scopes.ts";

/** Whether the variable that a function takes from around it belongs to the top level of its module. */
export function isOfModule(around: Surroundings, { format, isTopLevel }: ModuleText, name: string): boolean {
  if (format === "module") {
    const holder = around.scopes.find(
      ({ variables, kind }) => kind !== "global" && Object.hasOwn(variables, name),
    );
    return holder?.kind === "module";
  }
  return isTopLevel(name, offsetOf(scriptSource(around.scriptId), around.line, around.column));
}

/** The variables of a module's top level that V8 keeps, as a function of the module sees them now. */
export function moduleVariables(fn: object, text: ModuleText): Map<string, unknown> {
  const around = surroundingsOf(fn);
  const found = new Map<string, unknown>();
  const isModule = text.format === "module";
  const outermost = around.scopes.findLast(({ kind }) => kind === (isModule ? "module" : "inner"));
  const names = Object.keys(outermost?.variables ?? {});
  // All variables of a scope belong together, so one of the top level says that all are.
  if (!isModule && !names.some((name) => isOfModule(around, text, name))) return found;
  for (const name of names) {
    try {
      found.set(name, outermost?.variables[name]);
    } catch {
      // It has no value yet.
    }
  }
  return found;
}
