import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** Writes the address of every ES module that is loaded. */
const HOOK = `
import { writeSync } from "node:fs";
export const load = (url, context, next) => (writeSync(1, "loaded " + url + "\\n"), next(url, context));
`;
const REGISTER = `import { register } from "node:module"; register(${JSON.stringify(dataUrl(HOOK))});`;

function dataUrl(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

const TOOLS = /\/node_modules\/((?:acorn|eslint-scope|@jridgewell\/trace-mapping)(?=\/))/;

/** What a process has loaded, of all that only functions with captured variables and stacks need. */
function toolsLoadedBy(program: string): string[] {
  const report = `
    const required = Object.keys(process.getBuiltinModule("module")._cache);
    const builtin = process.moduleLoadList.filter((name) => name === "NativeModule inspector");
    for (const name of [...required, ...builtin]) console.log("loaded " + name);
  `;
  const output = execFileSync(
    process.execPath,
    ["--import", dataUrl(REGISTER), "--input-type=module", "-e", program + report],
    { encoding: "utf8" },
  );
  const lines = output.split("\n").filter((line) => line.startsWith("loaded "));
  expect(lines.some((line) => line.endsWith("dist/capture/capture.js"))).toBe(true);
  const found = lines.flatMap((line) =>
    line.endsWith(" inspector") ? "inspector" : (TOOLS.exec(line)?.[1] ?? []),
  );
  return [...new Set(found)].toSorted();
}

test("a client that sends data loads no parser, no inspector and no reader of source maps", () => {
  const program = `
    import { Client } from "./dist/index.js";
    import { captureParts } from "./dist/capture/capture.js";
    new Client("http://localhost:1/", { token: "x" });
    captureParts([{ a: 1 }, new Date(0)]);
  `;
  expect(toolsLoadedBy(program)).toEqual([]);
});

test("they are loaded with the first function that needs them", () => {
  const program = `
    import { captureParts } from "./dist/capture/capture.js";
    const n = 1;
    captureParts(() => n);
  `;
  expect(toolsLoadedBy(program)).toEqual(["acorn", "eslint-scope", "inspector"]);
});
