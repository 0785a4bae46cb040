import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transformSync } from "oxc-transform";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mapStack } from "../../src/capture/stacks/stacks.ts";

type Frames = Record<string, [remote: string, mapped: string]>;

const run = (file: string): Frames & { original: Frames } =>
  JSON.parse(execFileSync(process.execPath, [file], { encoding: "utf8" })) as Frames & { original: Frames };

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "stacks-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

test("frames of sent functions show the caller's file, line and column", () => {
  const { original, ...frames } = run(new URL("./fixtures/stacks.mjs", import.meta.url).pathname);
  const written = Object.fromEntries(Object.entries(original).map(([name, [frame]]) => [name, frame]));
  expect(Object.fromEntries(Object.entries(frames).map(([name, [, mapped]]) => [name, mapped]))).toEqual(
    written,
  );
});

test("a function without a name has none in a frame, whatever variables it has", () => {
  const { unnamed } = run(new URL("./fixtures/stacks.mjs", import.meta.url).pathname);
  expect(unnamed?.[1]).toMatch(/^file:\S+\/stacks\.mjs:\d+:\d+$/);
});

test("the file is known to the worker when the function's variables were read", () => {
  const { withCapture, bare } = run(new URL("./fixtures/stacks.mjs", import.meta.url).pathname);
  expect(withCapture?.[0]).toMatch(/fixtures\/stacks\.mjs:\d+:\d+$/);
  expect(bare?.[0]).toMatch(/^kitchensink:fn\/[\w-]{43}:1:\d+$/);
});

const SOURCE = `
type Text = string;
interface Unused { readonly a: Text }
const captured: Text = "captured";
const alone = (text: Text): never => { throw new Error(text); };
function withCapture(): never {
  const unused: Unused | undefined = undefined;
  throw new Error(captured + String(unused));
}
const frameOf = (fn: (text: Text) => never): unknown => {
  try { return fn("x"); } catch (error) { const stack = (error as Error).stack as string; return [stack, mapStack(stack)].map((s) => s.split("\\n")[1]); }
};
console.log(JSON.stringify({ alone: frameOf(revive(capture(alone))), withCapture: frameOf(revive(capture(withCapture))) }));
`;

const header = [
  ["capture", "capture"],
  ["revive", "revive"],
  ["mapStack", "stacks/stacks"],
]
  .map(([name, file]) => [name, new URL(`../../dist/capture/${file}.js`, import.meta.url).href])
  .map(([name, url]) => `import { ${name} } from ${JSON.stringify(url)};`)
  .join(" ");

test.each(["inline", "beside"] as const)("frames go through a source map %s the compiled file", (where) => {
  const source = join(directory, `${where}.ts`);
  const { code, map } = transformSync(source, header + SOURCE, { sourcemap: true });
  const text = JSON.stringify({ ...map, sources: [`${where}.ts`] });
  const compiled = join(directory, `${where}.mjs`);
  const address =
    where === "inline"
      ? `data:application/json;base64,${Buffer.from(text).toString("base64")}`
      : `${where}.mjs.map`;
  writeFileSync(compiled, `${code}\n//# sourceMappingURL=${address}\n`);
  writeFileSync(`${compiled}.map`, text);
  const { alone, withCapture } = run(compiled);
  const url = pathToFileURL(source).href;
  expect(alone?.[1]).toContain(`${url}:5:46`);
  expect(withCapture?.[1]).toContain(`${url}:8:9`);
});

test("frames of others stay as they are", () => {
  const stack =
    "Error: x\n    at f (file:///elsewhere/a.js:3:4)\n    at kitchensink:fn/unknown:1:2\n    at node:internal/x:1:1";
  expect(mapStack(stack)).toBe(stack);
});
