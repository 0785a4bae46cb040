import { createRequire } from "node:module";
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { setImporter } from "../../capture/revive.ts";
import { KitchenError } from "../../core/errors.ts";
import { resolveOwn } from "../typescript/resolve.ts";
import { installTypeScript } from "../typescript/install.ts";
import type { Registry } from "./registry.ts";

/** Imports modules and registers what they export. @throws KitchenError `KS_MODULE_FAILED`, naming the module */
export async function loadModules(modules: readonly string[], registry: Registry): Promise<void> {
  installTypeScript({ ownsPackage: true });
  for (const name of modules) {
    try {
      const exports: Readonly<Record<string, unknown>> = await import(urlOf(name));
      registry.addModule(exports);
    } catch (cause) {
      throw new KitchenError("KS_MODULE_FAILED", `Cannot load the module ${name}: ${explain(cause)}`, {
        cause,
      });
    }
  }
}

/** Imports that captured functions make: this package is the worker's own copy, all else is found from where it runs. */
export function installImporter(): void {
  setImporter((specifier) => import(resolveOwn(specifier) ?? urlOf(specifier)));
}

function urlOf(specifier: string): string {
  if (isAbsolute(specifier)) return pathToFileURL(specifier).href;
  if (/^(node|file|data):/.test(specifier)) return specifier;
  const here = join(process.cwd(), "noop.js");
  if (/^\.\.?\//.test(specifier)) return new URL(specifier, pathToFileURL(here)).href;
  const found = createRequire(here).resolve(specifier);
  return isAbsolute(found) ? pathToFileURL(found).href : found;
}

/** One line: what is wrong, and for syntax errors where, which Node puts on the stack's first line only. */
function explain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const [first = ""] = (cause.stack ?? "").split("\n");
  const where =
    cause instanceof SyntaxError && /:\d+$/.test(first) ? `${first.replace(/^file:\/\//, "")}: ` : "";
  return `${where}${cause.name === "Error" || cause.name === "KitchenError" ? "" : `${cause.name}: `}${cause.message}`;
}
