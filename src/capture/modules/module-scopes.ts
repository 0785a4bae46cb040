import { offsetOf } from "../source/homes.ts";
import { scriptSource } from "../scopes/inspect.ts";
import { GIVEN, type ModuleText } from "./module-text.ts";
import type { Scope, Surroundings } from "../scopes/scopes.ts";

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

/** The variables of a module's top level that V8 keeps, as what surrounds a function of the module has them. */
export function moduleVariables(around: Surroundings, text: ModuleText): Map<string, unknown> {
  const found = new Map<string, unknown>();
  // All variables of a scope belong together, so one of the top level says that all are.
  const isTop = ({ kind, variables }: Scope): boolean =>
    text.format === "module"
      ? kind === "module"
      : kind === "inner" &&
        Object.keys(variables).some((name) => !GIVEN.has(name) && isOfModule(around, text, name));
  const top = around.scopes.findLast(isTop);
  const names = Object.keys(top?.variables ?? {}).filter((name) => !GIVEN.has(name));
  for (const name of names) {
    try {
      found.set(name, top?.variables[name]);
    } catch {
      // It has no value yet.
    }
  }
  return found;
}
