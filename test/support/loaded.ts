/** Writes the address of every ES module that is loaded. */
const HOOK = `
import { writeSync } from "node:fs";
export const load = (url, context, next) => (writeSync(1, "loaded " + url + "\\n"), next(url, context));
`;
/** And at the end, what of Node and by \`require\` was. */
const REPORT = `
import { writeSync } from "node:fs";
import Module, { register } from "node:module";
register(${JSON.stringify(dataUrl(HOOK))});
process.on("exit", () => {
  const builtin = process.moduleLoadList.filter((name) => name.startsWith("NativeModule "));
  for (const name of [...Object.keys(Module._cache), ...builtin]) writeSync(1, "loaded " + name + "\\n");
});
`;

/** Arguments for a Node that writes to its stdout what it loads. */
export const TELLS_LOADED: readonly string[] = ["--import", dataUrl(REPORT)];

function dataUrl(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

/** What such a Node has loaded, by what it wrote: paths, urls, and `NativeModule inspector`. */
export function loadedIn(output: string): string[] {
  return output.split("\n").flatMap((line) => (line.startsWith("loaded ") ? [line.slice(7)] : []));
}

/** Those of `tools` that are among it: parts of paths, or all of a name. */
export function toolsIn(loaded: readonly string[], tools: readonly string[]): string[] {
  return tools.filter((tool) => loaded.some((name) => `${name}/`.includes(`${tool}/`)));
}

/** Files with code of this package or of others, each of which takes its time. */
export function filesIn(loaded: readonly string[]): string[] {
  return loaded.filter((name) => /\.[cm]?js$/.test(name) && !name.startsWith("data:"));
}
