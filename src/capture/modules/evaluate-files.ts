import { KitchenError } from "../../core/errors.ts";
import type { ModuleCode } from "./module-code.ts";
import { COMMON_FILES, type ModuleFiles } from "./module-files.ts";
import { packageHome } from "../resolve/references.ts";

let evaluator: (files: ModuleFiles) => unknown = () => {
  throw new KitchenError(
    "KS_CANNOT_CAPTURE",
    "Cannot revive a reference to a module: this process does not load modules that come as source (import kitchensink/capture)",
  );
};

/** Decides how files of modules get to where Node finds them. What `use` returns is what `require(entry)` does. */
export function setModuleFiles(use: (files: ModuleFiles) => unknown): void {
  evaluator = use;
}

/** Evaluates a module that lies in files. */
export function evaluateFiles(files: ModuleFiles): unknown {
  return evaluator(files);
}

const imported: string[] = [];

/** By way of a module that imports it, because what `require` gives may be something else. */
export function importPackage(specifier: string, packages: ReadonlyMap<string, string>): unknown {
  if (!imported.includes(specifier)) imported.push(specifier);
  const name = `p${imported.indexOf(specifier)}`;
  const text = `export * as found from ${JSON.stringify(specifier)};`;
  const files = new Map([...COMMON_FILES, [`${name}.mjs`, text] as const]);
  return (evaluateFiles({ files, packages, entry: `#${name}` }) as { found: unknown }).found;
}

/** The directory of the package that a specifier names, when it came with a version. */
export function packageOf(code: ModuleCode, specifier: string): ReadonlyMap<string, string> {
  const found = code.packages.filter(([name]) => specifier === name || specifier.startsWith(`${name}/`));
  return new Map(found.map(([name, version]) => [name, packageHome(name, version)]));
}
