import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { filesIn, loadedIn, TELLS_LOADED, toolsIn } from "../support/loaded.ts";

const TOOLS = [
  "node_modules/acorn",
  "node_modules/eslint-scope",
  "node_modules/@jridgewell/trace-mapping",
  "node_modules/msgpackr-extract",
  "NativeModule inspector",
  "NativeModule internal/deps/undici",
];
const MOST_FILES = 20;

/** What a program of an ES module loads. */
function loadedBy(program: string): string[] {
  const loaded = loadedIn(
    execFileSync(process.execPath, [...TELLS_LOADED, "--input-type=module", "-e", program], {
      encoding: "utf8",
    }),
  );
  expect(toolsIn(loaded, ["dist/parts/capture.js"])).toHaveLength(1);
  return loaded;
}

test("a client that sends data loads few files, no parser, no inspector, no undici and no reader of source maps", () => {
  const program = `
    import { Client } from "./dist/index.js";
    import { captureParts } from "./dist/capture/capture.js";
    new Client("http://localhost:1/", { token: "x" });
    captureParts([{ a: 1 }, new Date(0)]);
  `;
  const loaded = loadedBy(program);
  expect(toolsIn(loaded, TOOLS)).toEqual([]);
  expect(filesIn(loaded).length).toBeLessThan(MOST_FILES);
});

test("they are loaded with the first function that needs them", () => {
  const program = `
    import { captureParts } from "./dist/capture/capture.js";
    const n = 1;
    captureParts(() => n);
  `;
  expect(toolsIn(loadedBy(program), TOOLS)).toEqual([
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

test("msgpackr's addon is loaded when much has been decoded, where somebody installed it, and decodes from then on", () => {
  const program = `
    import { createRequire } from "node:module";
    import { capture } from "./dist/capture/capture.js";
    import { revive } from "./dist/capture/revive.js";
    const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("msgpackr-extract"));
    const bytes = capture(Array.from({ length: 20_000 }, (_, i) => "text number " + i));
    revive(bytes);
    const before = isLoaded();
    for (let size = 0; size < 8 * 1024 * 1024; size += bytes.length) revive(bytes);
    while (!isLoaded()) await new Promise(setImmediate);
    const after = revive(bytes);
    console.log(JSON.stringify([before, after.length, after[19_999]]));
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual([false, 20_000, "text number 19999"]);
});
