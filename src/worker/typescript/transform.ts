import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Oxc from "oxc-transform";
import { fileURLToPath } from "node:url";
import { KitchenError } from "../../core/errors.ts";

const TYPESCRIPT = /\.(m|c)?tsx?$/;
/** Functions travel to workers of other versions: what the oldest one does not know, such as `using`, is written out. */
const OLDEST_NODE = "node20.19";
const HELPER = /^import (\w+) from "(@oxc-project\/runtime\/helpers\/\w+)";$/gm;
const require = createRequire(import.meta.url);
let oxc: typeof Oxc | undefined;

/** Whether a module is TypeScript that this package compiles: not in node_modules, as everywhere. */
export function isTypeScript(url: string): boolean {
  return url.startsWith("file:") && TYPESCRIPT.test(url) && !url.includes("/node_modules/");
}

/** The module as JavaScript with an inline source map. @throws KitchenError `KS_MODULE_FAILED` with file and line */
export function compileTypeScript(url: string): string {
  const file = fileURLToPath(url);
  const source = readFileSync(file, "utf8");
  oxc ??= require("oxc-transform") as typeof Oxc;
  const { code, map, errors } = oxc.transformSync(file, source, {
    sourcemap: true,
    sourceType: "module",
    target: OLDEST_NODE,
  });
  const [error] = errors;
  if (error !== undefined) {
    const at = lineAt(source, error.labels[0]?.start ?? 0);
    throw new KitchenError("KS_MODULE_FAILED", `${file}:${at}: ${error.message}`);
  }
  const inlined = Buffer.from(JSON.stringify(map)).toString("base64");
  return `${withOwnHelpers(code)}\n//# sourceMappingURL=data:application/json;base64,${inlined}`;
}

/**
 * Brings the functions into the module that take the place of `using`: what is captured of it needs no package then where
 * it runs. They stand at the end, where they change no line.
 */
function withOwnHelpers(code: string): string {
  const helpers: string[] = [];
  const rest = code.replace(HELPER, (_line, local: string, path: string) => {
    const text = readFileSync(require.resolve(path.replace("/helpers/", "/helpers/esm/")), "utf8");
    helpers.push(text.replace(/^export \{.*$/m, "").replace(/^function \w+/, () => `function ${local}`));
    return "";
  });
  return [rest, ...helpers].join("\n");
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}
