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

const TOOLS = [
  "node_modules/acorn",
  "node_modules/eslint-scope",
  "node_modules/@jridgewell/trace-mapping",
  "NativeModule inspector",
  "NativeModule internal/deps/undici",
];

/** What a process has loaded, of all that only functions with captured variables and stacks need. */
function toolsLoadedBy(program: string): string[] {
  const report = `
    const required = Object.keys(process.getBuiltinModule("module")._cache);
    const builtin = process.moduleLoadList.filter((name) => name.startsWith("NativeModule "));
    for (const name of [...required, ...builtin]) console.log("loaded " + name);
  `;
  const output = execFileSync(
    process.execPath,
    ["--import", dataUrl(REGISTER), "--input-type=module", "-e", program + report],
    { encoding: "utf8" },
  );
  const lines = output.split("\n").filter((line) => line.startsWith("loaded "));
  expect(lines.some((line) => line.endsWith("dist/capture/capture.js"))).toBe(true);
  return TOOLS.filter((tool) => lines.some((line) => `${line}/`.includes(`${tool}/`)));
}

test("a client that sends data loads no parser, no inspector, no undici and no reader of source maps", () => {
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
  expect(toolsLoadedBy(program)).toEqual([
    "node_modules/acorn",
    "node_modules/eslint-scope",
    "NativeModule inspector",
  ]);
});

test("what Node loads late is found again when something has loaded it", () => {
  const program = `
    import { capture } from "./dist/capture/capture.js";
    import { revive } from "./dist/capture/revive.js";
    const n = 1;
    capture(() => n);
    const isLoaded = () => process.moduleLoadList.some((name) => name.endsWith("undici"));
    const before = isLoaded();
    const values = [Response, new Headers().append, MessageEvent];
    const found = values.map((value) => revive(capture(() => value))() === value);
    console.log(JSON.stringify([before, isLoaded(), ...found]));
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual([false, true, true, true, true]);
});

test("a package that is loaded between two captures is found in the second one", () => {
  const program = `
    import { capture } from "./dist/capture/capture.js";
    import { revive } from "./dist/capture/revive.js";
    const values = [Math.max];
    const revived = () => revive(capture(() => values))();
    revived();
    values.push(process.getBuiltinModule("module").createRequire(process.cwd() + "/x.js")("commander"));
    console.log(revived()[1] === values[1]);
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(output).toBe("true\n");
});
