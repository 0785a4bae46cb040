import { execFileSync } from "node:child_process";
import fs, { readFileSync } from "node:fs";
import * as path from "node:path";
import * as acorn from "acorn";
import { beforeAll, describe, expect, test, vi } from "vitest";
// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/contexts.cjs";
import { capture } from "../../src/capture/capture.ts";
import { labelOf } from "../../src/capture/walk/labels.ts";
import { revive } from "../../src/capture/revive.ts";
import { MAJORS, NODE_MS, nodeBinary } from "./support/nodes.ts";
import { testCases } from "./support/peers.ts";

testCases("contexts", new URL("./fixtures/contexts.cjs", import.meta.url), cases);

const LINES = [
  "let factor = 3",
  "class Square { #side; constructor(side) { this.#side = side } area() { return this.#side ** 2 * factor } }",
  "function twice(f) { return f() * 2 }",
  "var extra = 7",
  "const go = () => twice(() => new Square(2).area()) + extra",
  "again(go)()",
  "factor = 10",
  "again(go)()",
  "again(new Square(3)).area()",
  "const path = require('path')",
  "again(() => path.join('a', 'b'))()",
  "let made = 0",
  "class Box { #n; constructor(n) { made++; this.#n = n } same(o) { return o.#n === this.#n } }",
  "const there = again((n) => new Box(n))",
  "const home = again(there(5))",
  "home instanceof Box && new Box(5).same(home) && made",
];

const binaries = new Map<number, string>();
beforeAll(async () => {
  for (const major of MAJORS) binaries.set(major, await nodeBinary(major));
}, MAJORS.length * NODE_MS);
const binaryOf = (major: number): string => binaries.get(major) ?? process.execPath;

describe.each(MAJORS)("the REPL of Node %s", (major) => {
  test.each(["global", "context"])("functions, classes and variables of several lines (%s)", (mode) => {
    const program = new URL("./fixtures/repl.mjs", import.meta.url).pathname;
    const output = execFileSync(binaryOf(major), [program, mode], {
      encoding: "utf8",
      input: LINES.join("\n"),
    });
    const answers = output.split("\n").filter((line) => line !== "undefined" && line !== "");
    expect(answers).toEqual(["31", "10", "87", "90", "'a/b'", "1"]);
  });

  test("a name that meant a global when a function was captured first, and was declared since", () => {
    const program = new URL("./fixtures/repl.mjs", import.meta.url).pathname;
    const lines = [
      "const root = (n) => Math.sqrt(n)",
      "formOf(root)",
      "let Math = { sqrt: () => 'own' }",
      "formOf(root)",
    ];
    const output = execFileSync(process.execPath, [program, "global"], {
      encoding: "utf8",
      input: lines.join("\n"),
    });
    expect(output.split("\n").filter((line) => line !== "undefined" && line !== "")).toEqual(["4", "3"]);
  });
});

describe.each(MAJORS)("a process of Node %s under a debugger", (major) => {
  const run = (program: string, flags: readonly string[] = ["--inspect=0"]): string => {
    const imports = `import { capture } from "./dist/capture/capture.js"; import { closure } from "./dist/capture/closure.js"; import { revive } from "./dist/capture/revive.js";`;
    return execFileSync(binaryOf(major), [...flags, "--input-type=module", "-e", imports + program], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  };

  test("functions that need no pause are captured", () => {
    expect(run("const k = 2; console.log(revive(capture(() => k + 1))())")).toBe("3");
  });

  test("a function that does is refused with the way out, and closure() is one", () => {
    const refused = run(
      "const o = { v: 1, f() { return () => this.v } }; try { capture(o.f()) } catch (e) { console.log(e.code, e.message) }",
    );
    expect(refused).toMatch(/^KS_CANNOT_CAPTURE .*cannot be read while a debugger is attached.*closure\(fn/);
    expect(run("let n = 1; const f = closure(() => n, { n: 5 }); console.log(revive(capture(f))())")).toBe(
      "5",
    );
  });

  test("an instance with private fields that comes home is of a copy of its class; without a debugger it is not", () => {
    const program = `
      class Money { #cents; constructor(cents) { this.#cents = cents; } cents() { return this.#cents; } }
      const there = revive(capture((cents) => new Money(cents)));
      const money = revive(capture(there(5)));
      console.log(money instanceof Money, money.cents());`;
    expect(run(program)).toBe("false 5");
    expect(run(program, [])).toBe("true 5");
  });
});

describe("inside vitest", () => {
  const again = <T>(value: T): T => revive(capture(value)) as T;

  test("imports of builtin modules", () => {
    const [join, read, same] = again(() => [path.join, readFileSync, fs.readFileSync])();
    expect(join).toBe(path.join);
    expect(read).toBe(readFileSync);
    expect(same).toBe(readFileSync);
  });

  test("imports of packages", () => {
    expect(again(() => acorn.parse)()).toBe(acorn.parse);
  });

  test("a mock is refused", () => {
    expect(() => capture({ mock: vi.fn<() => void>() })).toThrow(
      "Cannot capture .mock: a mock function records its calls in this process (send a plain function",
    );
  });

  test("imports of local files", () => {
    expect(again((key: string) => labelOf(key))("a")).toBe(".a");
  });
});
