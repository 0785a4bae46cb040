/** What is typed in the REPL, before Node evaluates it. */
import { describe, expect, test } from "vitest";
import { translate } from "../../../src/cli/repl/javascript.ts";

function javascript(typed: string): string {
  const translated = translate(typed);
  if (translated.type !== "javascript") throw new Error(translated.type);
  return translated.code;
}

describe("what is typed", () => {
  test("stays as it is where it is JavaScript", () => {
    for (const code of ["const  x = 1  // one", "await f( 1 )", "class A { #x = 1 }", "{ a: 1 }", ""])
      expect(javascript(code)).toBe(code);
  });

  test("loses its types, and keeps its lines", () => {
    expect(javascript("let x: number = 1")).toMatch(/^let x = 1;?\s*$/);
    const typed = "interface A {\n  b: string;\n}\n\nfunction f(a: A): never {\n  throw new Error(a.b);\n}";
    const lines = javascript(typed).split("\n");
    expect(lines[4]).toContain("function f(a)");
    expect(lines[5]).toContain("throw new Error(a.b)");
    const short = "const one = (x: number) => { if (x) { return `a\n  b` } }\nconst two: string = one(1)";
    expect(javascript(short).split("\n")[2]).toContain("const two = one(1)");
    expect(javascript(short)).toContain("`a\n  b`");
  });

  test("has its imports made dynamic, each on its line", () => {
    expect(javascript('import { a, b as c } from "m"; a')).toBe('var { a: a, b: c } = await import("m"); a');
    expect(javascript('import d, { "a-b" as e } from "m"')).toBe(
      'var { default: d, "a-b": e } = await import("m");',
    );
    expect(javascript('import d, * as all from "m"')).toBe(
      'var all = await import("m"); var { default: d } = all;',
    );
    expect(javascript('import "m"')).toBe('await import("m");');
    expect(javascript('import {\n  a,\n} from "m"\na')).toBe('var { a: a } = await import("m");\n\n\na');
    expect(javascript('import type { T } from "m"').trim()).toBe("");
    expect(javascript("export const x = 1")).toBe("const x = 1");
  });

  test("is waited for until it is whole", () => {
    const halves = [
      "function f(a: number) {",
      "const s: string = `abc",
      "f(1 as number,",
      "let a: number /* why",
    ];
    for (const half of halves) expect(translate(half).type, half).toBe("incomplete");
    for (const wrong of ["const a: = 1", "let x: number = )", 'const s: string = "abc'])
      expect(translate(wrong).type, wrong).toBe("neither");
  });
});
