import vm from "node:vm";
import { expect, test } from "vitest";
import { capture } from "../../src/capture/capture.ts";
import { realmOf } from "../../src/capture/resolve/known.ts";
import { revive } from "../../src/capture/revive.ts";

const context = vm.createContext({});
const run = (text: string): unknown => vm.runInContext(text, context) as unknown;

/** What `text` makes in the vm context, captured there and revived for it, is looked at there. */
function holds(text: string, check: string): unknown {
  const value = run(text) as object;
  const look = run(`(value) => (${check})`) as (value: unknown) => unknown;
  return look(revive(capture(value), { realm: realmOf(run("(() => 1)") as object) }));
}

test.each([
  ["data", "([1, { a: [2] }])", "value instanceof Array && value[1].a instanceof Array"],
  ["data with its own kinds", "({ d: new Date(1) })", "value instanceof Object && value.d instanceof Date"],
  [
    "a Map and all in it",
    "(new Map([[{}, [1]]]))",
    "[...value].every(([k, v]) => k instanceof Object && v instanceof Array)",
  ],
  [
    "typed arrays",
    "({ a: new Uint8Array(2) })",
    "value.a instanceof Uint8Array && value.a.buffer instanceof ArrayBuffer",
  ],
  [
    "an error with its parts",
    "(new AggregateError([new TypeError('t')]))",
    "value.errors[0] instanceof TypeError && value instanceof Error",
  ],
  ["what is frozen", "(Object.freeze([/x/]))", "value instanceof Array && value[0] instanceof RegExp"],
  [
    "a function",
    "(Object.assign(() => 1, { list: [1] }))",
    "value instanceof Function && value.list instanceof Array",
  ],
  [
    "an instance of a class",
    "(new (class A { #p = 1; q = []; get p() { return this.#p; } })())",
    "value instanceof Object && value.p === 1 && value.q instanceof Array",
  ],
  [
    "parts of the language",
    "([Math, Array, Symbol.iterator])",
    "value[0] === Math && value[1] === Array && value[2] === Symbol.iterator",
  ],
])("%s of a vm context is what it was there when it comes back", (_name, text, check) => {
  expect(holds(text, check)).toBe(true);
});

test("without a vm context, it is what this one has", () => {
  expect(revive(capture(run("([1, new RangeError('r')])")))).toEqual([1, expect.any(RangeError)]);
  expect(realmOf([])).toBeUndefined();
});
