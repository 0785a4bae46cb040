/** Node may have made the pipe one that does not wait for room. */
const WRITE = `
import { writeSync } from "node:fs";
const moment = new Int32Array(new SharedArrayBuffer(4));
const write = (name) => {
  let rest = Buffer.from("loaded " + name + "\\n");
  while (rest.length > 0)
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(moment, 0, 0, 1);
    }
};
`;
/** Writes the address of every ES module that is loaded. */
const HOOK = `${WRITE}
export const load = (url, context, next) => (write(url), next(url, context));
`;
/** And at the end, what of Node and by \`require\` was. */
const REPORT = `${WRITE}
import Module, { register } from "node:module";
register(${JSON.stringify(dataUrl(HOOK))});
process.on("exit", () => {
  const builtin = process.moduleLoadList.filter((name) => name.startsWith("NativeModule "));
  for (const name of [...Object.keys(Module._cache), ...builtin]) write(name);
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
