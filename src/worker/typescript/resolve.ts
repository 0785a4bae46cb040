import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { packageUrl } from "../../core/own-code.ts";

/** What a `.js` specifier may stand for in TypeScript sources. */
const SOURCES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.js$/, [".ts", ".tsx"]],
  [/\.mjs$/, [".mts"]],
  [/\.cjs$/, [".cts"]],
];

/** This package's entry points, which mean this very copy in every module that a worker loads. */
const OWN: Readonly<Record<string, string>> = {
  kitchensink: "index.js",
  "kitchensink/functions": "functions.js",
  "kitchensink/capture": "capture.js",
  "kitchensink/testing": "testing.js",
};

/** Where an import of this package leads; `undefined` for all other specifiers. */
export function resolveOwn(specifier: string): string | undefined {
  if (!Object.hasOwn(OWN, specifier)) return undefined;
  return packageUrl(`dist/${OWN[specifier]}`).href;
}

/** The TypeScript file that a relative import of `./x.js` means, when there is no such `.js` file. */
export function resolveSource(specifier: string, parentUrl: string | undefined): string | undefined {
  if (parentUrl === undefined || !/^(\.\.?\/|\/|file:)/.test(specifier)) return undefined;
  const url = new URL(specifier, parentUrl);
  if (url.protocol !== "file:" || existsSync(fileURLToPath(url))) return undefined;
  for (const [ending, sources] of SOURCES) {
    if (!ending.test(url.pathname)) continue;
    for (const source of sources) {
      const candidate = new URL(url.href.replace(ending, source));
      if (existsSync(fileURLToPath(candidate))) return candidate.href;
    }
  }
  return undefined;
}
