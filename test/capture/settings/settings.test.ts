import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "../../../src/testing/start-cluster.ts";
import { MAJORS, NODE_MS, nodeBinary } from "../support/nodes.ts";
import { Installation, ROOT } from "./support/installation.ts";
import { commonJs, esModules, full, placeOf, typed } from "./support/programs.ts";
import { type Failure, type Report, runSetting, type Setting } from "./support/run.ts";

interface Named extends Setting {
  readonly name: string;
  /** The file whose lines stacks show. */
  readonly source: string;
  readonly compiles?: boolean;
  readonly versions?: (major: number) => boolean;
}

const bin = (path: string): string => join(ROOT, "node_modules", path);
const typeModule = { "package.json": '{ "type": "module" }' };
const typeCommonJs = { "package.json": '{ "type": "commonjs" }' };
const main = (program: string): string => `import { run } from "./${program}";\nvoid run();\n`;
const TSC = [bin("typescript/bin/tsc"), "--ignoreConfig", "--module", "nodenext", "--target", "es2023"];
const COMPILE = [...TSC, "--types", "node", "--rewriteRelativeImportExtensions", "--sourceMap", "main.ts"];
const JEST = [bin("jest/bin/jest.js"), "--rootDir", ".", "--cacheDirectory", "out"];
const COVERAGE = ["--coverage", "--coverageDirectory", "out"];

const SETTINGS: readonly Named[] = [
  {
    name: "an ES module",
    files: { ...esModules(), "main.mjs": main("program.mjs") },
    commands: [["main.mjs"]],
    source: "program.mjs",
  },
  {
    name: "a CommonJS module that requires the package",
    files: { ...commonJs(), "main.cjs": 'require("./program.cjs").run();' },
    commands: [["main.cjs"]],
    source: "program.cjs",
  },
  {
    name: "a CommonJS module that imports the package",
    files: {
      ...commonJs({ importing: true }),
      "main.cjs": 'require("./program.cjs").run();',
    },
    commands: [["main.cjs"]],
    source: "program.cjs",
  },
  {
    name: "TypeScript by tsx, as ES modules",
    files: { ...full(), ...typeModule, "main.ts": main("program.ts") },
    commands: [[bin("tsx/dist/cli.mjs"), "main.ts"]],
    source: "program.ts",
    compiles: true,
  },
  {
    name: "TypeScript by tsx, as CommonJS",
    files: { ...full(), ...typeCommonJs, "main.ts": main("program.ts") },
    commands: [[bin("tsx/dist/cli.mjs"), "main.ts"]],
    source: "program.ts",
    compiles: true,
  },
  {
    name: "TypeScript by kitchensink/register",
    files: { ...full(), ...typeModule, "main.ts": main("program.ts") },
    commands: [["--import", "kitchensink/register", "main.ts"]],
    source: "program.ts",
    compiles: true,
  },
  {
    name: "TypeScript by removing its types",
    files: { ...typed(), ...typeModule, "main.ts": main("program.ts") },
    commands: [["main.ts"]],
    source: "program.ts",
    versions: (major) => major >= 22,
  },
  {
    name: "TypeScript compiled by tsc to ES modules",
    files: { ...full(), ...typeModule, "main.ts": main("program.ts") },
    commands: [COMPILE, ["main.js"]],
    source: "program.ts",
    compiles: true,
  },
  {
    name: "TypeScript compiled by tsc to CommonJS",
    files: { ...full(), ...typeCommonJs, "main.ts": main("program.ts") },
    commands: [COMPILE, ["main.js"]],
    source: "program.ts",
    compiles: true,
  },
  {
    name: "TypeScript compiled by tsc, run with source maps",
    files: { ...full(), ...typeModule, "main.ts": main("program.ts") },
    commands: [COMPILE, ["--enable-source-maps", "main.js"]],
    source: "program.ts",
    compiles: true,
  },
  {
    name: "Node that measures coverage",
    files: { ...esModules(), "main.mjs": main("program.mjs") },
    commands: [["main.mjs"]],
    env: { NODE_V8_COVERAGE: "out" },
    source: "program.mjs",
  },
  {
    name: "vitest",
    files: {
      ...full(),
      ...typeModule,
      "program.test.ts": `import { test } from "vitest";\nimport { run } from "./program.ts";\ntest("it", run);\n`,
    },
    commands: [[bin("vitest/vitest.mjs"), "run", "--root", "."]],
    source: "program.ts",
    compiles: true,
  },
  {
    name: "vitest in vm contexts",
    files: {
      ...full(),
      ...typeModule,
      "program.test.ts": `import { test } from "vitest";\nimport { run } from "./program.ts";\ntest("it", run);\n`,
    },
    commands: [[bin("vitest/vitest.mjs"), "run", "--root", ".", "--pool", "vmThreads"]],
    source: "program.ts",
    compiles: true,
  },
  {
    name: "node:test",
    files: {
      ...esModules(),
      "program.test.mjs": `import { test } from "node:test";\nimport { run } from "./program.mjs";\ntest("it", run);\n`,
    },
    commands: [["--test", "program.test.mjs"]],
    source: "program.mjs",
  },
  {
    name: "a worker thread",
    files: {
      ...esModules(),
      "thread.mjs": main("program.mjs"),
      "main.mjs":
        'import { Worker } from "node:worker_threads";\nnew Worker(new URL("./thread.mjs", import.meta.url));',
    },
    commands: [["main.mjs"]],
    source: "program.mjs",
  },
  {
    name: "Jest",
    files: {
      ...commonJs(),
      ...typeCommonJs,
      "program.test.js": 'test("it", require("./program.cjs").run);\n',
    },
    commands: [JEST],
    source: "program.cjs",
  },
  {
    name: "Jest that measures coverage",
    files: {
      ...commonJs(),
      ...typeCommonJs,
      "program.test.js": 'test("it", require("./program.cjs").run);\n',
    },
    commands: [[...JEST, ...COVERAGE]],
    source: "program.cjs",
  },
  {
    name: "Jest, as ES modules",
    files: {
      ...esModules(),
      ...typeModule,
      "program.test.js": 'import { run } from "./program.mjs";\ntest("it", run);\n',
    },
    commands: [["--experimental-vm-modules", ...JEST]],
    source: "program.mjs",
  },
  {
    name: "Jest, as ES modules, that measures coverage",
    files: {
      ...esModules(),
      ...typeModule,
      "program.test.js": 'import { run } from "./program.mjs";\ntest("it", run);\n',
    },
    commands: [["--experimental-vm-modules", ...JEST, ...COVERAGE]],
    source: "program.mjs",
  },
];

describe.each(SETTINGS)("$name", (setting) => {
  const majors = MAJORS.filter((major) => setting.versions?.(major) ?? true);
  test.each(majors)(
    "on Node %s",
    async (major) => {
      const node = await nodeBinary(major);
      const { folder, report } = await runSetting(setting, { installation, cluster, node });
      expect(valuesOf(report)).toEqual(expected(setting));
      expect(report.size).toBeLessThan(1_500);
      expectPlaces(report, folder, setting);
    },
    NODE_MS,
  );
});

let installation: Installation;
let cluster: Cluster;
beforeAll(async () => {
  installation = new Installation();
  cluster = await startCluster();
});
afterAll(async () => {
  await cluster.close();
  installation.remove();
});

function valuesOf({ own, builtIn, size: _size, ...values }: Report): object {
  const { stack: _own, ...ownError } = own;
  const { stack: _builtIn, ...builtInError } = builtIn;
  return { ...values, own: ownError, builtIn: builtInError };
}

function expected({ compiles = false }: Named): object {
  const { before } = { before: 10 * 2 + 1 };
  return {
    before,
    after: before + 4,
    sold: 60,
    soldHere: 0,
    taxed: 14,
    packaged: 2_000,
    compiled: compiles ? "Large 11" : "",
    list: [7, [{ of: 7 }], {}],
    kinds: [true, true, true, true, true],
    own: { isOwn: true, isRange: false, isError: true, item: "cap", message: "there is no cap" },
    builtIn: { isOwn: false, isRange: true, isError: true, message: "above 3" },
  };
}

function expectPlaces({ own, builtIn }: Report, folder: string, { files, source }: Named): void {
  const text = files[source] ?? readFileSync(join(folder, source), "utf8");
  const at = (marker: string): string => `${join(folder, source)}:${placeOf(text, marker)}`;
  expect(framesOf(own)[0]).toBe(at("new OutOfStock("));
  expect(framesOf(builtIn)[0]).toBe(at("new RangeError("));
  for (const error of [own, builtIn]) expect(framesOf(error).join("\n")).toContain(at("await (kind"));
}

/** Where the frames of a stack are. */
function framesOf({ stack }: Failure): string[] {
  const frames = stack.split("\n").filter((line) => line.startsWith("    at "));
  return frames.map((frame) =>
    frame
      .replace(/^.*\((.*)\)$/, "$1")
      .replace(/^ +at (async )?/, "")
      .replace(/^file:\/\//, ""),
  );
}
