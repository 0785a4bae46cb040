import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const dist = new URL("../../dist/capture/", import.meta.url).href;
let directory = "";

function install(home: string, version: string | undefined): void {
  const target = join(directory, home, "node_modules", "fake");
  mkdirSync(version === undefined ? join(directory, home) : target, { recursive: true });
  if (version === undefined) return;
  writeFileSync(
    join(target, "package.json"),
    JSON.stringify({ name: "fake", version, type: "module", exports: "./main.js" }),
  );
  writeFileSync(
    join(target, "main.js"),
    `let hidden = 0; export const version = () => "${version}" + hidden; export class Thing { make() { return hidden; } }`,
  );
}

/** Runs a program in a directory, so that it has the packages of that directory. */
function run(home: string, program: string, input = ""): string {
  const file = join(directory, home, "program.mjs");
  writeFileSync(
    file,
    `import { capture } from "${dist}capture.js"; import { revive } from "${dist}revive.js";\n${program}`,
  );
  return execFileSync(process.execPath, [file], {
    cwd: join(directory, home),
    input,
    encoding: "utf8",
  }).trim();
}

const SEND = `import { version, Thing } from "fake"; console.log(Buffer.from(capture({ call: () => version(), thing: new Thing() })).toString("base64"));`;
const RECEIVE = `
  import { readFileSync } from "node:fs";
  try {
    const { call, thing } = revive(Buffer.from(readFileSync(0, "utf8"), "base64"));
    const fake = await import("fake");
    console.log(call(), thing instanceof fake.Thing);
  } catch (error) { console.log(error.code, error.message); }`;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "packages-"));
  install("sender", "1.2.3");
  install("same", "1.2.3");
  install("patched", "1.2.9");
  install("newer", "1.3.0");
  install("without", undefined);
});
afterAll(() => rmSync(directory, { recursive: true }));

test("a package is taken from where the worker runs, which may have another patch of it", () => {
  const bytes = run("sender", SEND);
  expect(run("same", RECEIVE, bytes)).toBe("1.2.30 true");
  expect(run("patched", RECEIVE, bytes)).toBe("1.2.90 true");
});

test("another version is refused with both versions, and so is none", () => {
  const bytes = run("sender", SEND);
  expect(run("newer", RECEIVE, bytes)).toBe(
    "KS_CANNOT_CAPTURE Cannot revive a reference to the package fake 1.2.3: this worker has 1.3.0 (install fake@1.2.3 there)",
  );
  expect(run("without", RECEIVE, bytes)).toMatch(
    /fake 1\.2\.3: it is not installed where this worker runs \(install fake@1\.2\.3 there\)$/,
  );
});

test("a module that travels as source imports the package of the worker, of the same version", () => {
  writeFileSync(
    join(directory, "sender", "held.mjs"),
    `import { createServer } from "node:net"; import { version } from "fake";
    const server = createServer(); export const ask = () => version() + server.listening;`,
  );
  const sources = new URL("../../dist/capture.js", import.meta.url).href;
  const bytes = run(
    "sender",
    `import { ask } from "./held.mjs"; console.log(Buffer.from(capture(ask)).toString("base64"));`,
  );
  const receive = `
  import { readFileSync } from "node:fs"; import "${sources}";
  try { console.log(revive(Buffer.from(readFileSync(0, "utf8"), "base64"))()); }
  catch ({ code, message }) { console.log(code, message); }`;
  expect(run("patched", receive, bytes)).toBe("1.2.90false");
  expect(run("newer", receive, bytes)).toMatch(
    /^KS_CANNOT_CAPTURE .* the package fake 1\.2\.3: this worker has 1\.3\.0/,
  );
});
