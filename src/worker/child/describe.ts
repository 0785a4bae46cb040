import type { FunctionInfo } from "../../core/messages.ts";
import { writtenFunction, type AnyFunction } from "../functions.ts";
import { inputOf } from "./input.ts";
import type { Registry } from "./registry.ts";
import { SourceFiles } from "./source-file.ts";

/** A namespace's functions with their parameters and doc comments; `null` when there is no such namespace. */
export function describeFunctions(namespace: string, registry: Registry): FunctionInfo[] | null {
  const functions = registry.functionsOf(namespace);
  if (functions === undefined) return null;
  const files = new SourceFiles();
  return [...functions].map(([name, registered]) => {
    const fn = writtenFunction(registered);
    const found = files.fileOf(fn)?.find(Function.prototype.toString.call(fn));
    return {
      namespace,
      name,
      parameters: found?.parameters ?? "",
      doc: found?.doc ?? "",
      ...inputOf(registered),
      isGenerator: isGeneratorFunction(fn),
    };
  });
}

function isGeneratorFunction(fn: AnyFunction): boolean {
  return /Generator/.test(Object.prototype.toString.call(fn));
}
