import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Oxc from "oxc-transform";
import { fileURLToPath } from "node:url";
import { KitchenError } from "../../core/errors.ts";

const TYPESCRIPT = /\.(m|c)?tsx?$/;
let oxc: typeof Oxc | undefined;

/** Whether a module is TypeScript that this package compiles: not in node_modules, as everywhere. */
export function isTypeScript(url: string): boolean {
  return url.startsWith("file:") && TYPESCRIPT.test(url) && !url.includes("/node_modules/");
}

/** The module as JavaScript with an inline source map. @throws KitchenError `KS_MODULE_FAILED` with file and line */
export function compileTypeScript(url: string): string {
  const file = fileURLToPath(url);
  const source = readFileSync(file, "utf8");
  oxc ??= createRequire(import.meta.url)("oxc-transform") as typeof Oxc;
  const { code, map, errors } = oxc.transformSync(file, source, { sourcemap: true, sourceType: "module" });
  const [error] = errors;
  if (error !== undefined) {
    const at = lineAt(source, error.labels[0]?.start ?? 0);
    throw new KitchenError("KS_MODULE_FAILED", `${file}:${at}: ${error.message}`);
  }
  const inlined = Buffer.from(JSON.stringify(map)).toString("base64");
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${inlined}`;
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}
