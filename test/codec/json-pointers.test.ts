import { expect, test } from "vitest";
import { pointersInJson } from "../../src/codec/json-pointers.ts";

const found = (json: string): string[] => [...pointersInJson(Buffer.from(json))];
const KEY = '"kitchensink:data"';
const CODEC = '"kitchensink:codec"';

test.each([
  ["alone", `{${KEY}:"a/b"}`, ["a/b"]],
  [
    "deep, and as often as they are there",
    `[{"x":[{${KEY}:"a"},{"y":{${KEY}:"b"}}]},{${KEY}:"a"}]`,
    ["a", "b", "a"],
  ],
  ["spaced", `[ {\n\t${KEY} :\r\n "a" } ]`, ["a"]],
  [
    "with a codec behind or before",
    `[{${KEY}:"a",${CODEC}:"json"},{${CODEC} : "x\\"" , ${KEY} : "b"}]`,
    ["a", "b"],
  ],
  ["escaped", `[{${KEY}:"a\\"}\\\\\\u00fc ü"}]`, ['a"}\\ü ü']],
  ["in a row of text that looks alike", `["{", "${KEY.slice(1, -1)}", ":\\"x\\"}", {${KEY}:"a"}]`, ["a"]],
])("pointers in JSON are found: %s", (_what, json, targets) => {
  expect(() => JSON.parse(json) as unknown).not.toThrow();
  expect(found(json)).toEqual(targets);
});

test.each([
  ["a text", JSON.stringify([JSON.stringify({ "kitchensink:data": "a" })])],
  ["a text behind a brace", JSON.stringify(["{", '{"kitchensink:data":"a"}', "{"])],
  ["an object with another key", `[{${KEY}:"a","b":1},{"b":1,${KEY}:"a"},{${KEY}:"a",${CODEC}:5}]`],
  ["an object with another value", `[{${KEY}:5},{${KEY}:["a"]},{${KEY}:{"a":1}}]`],
  ["a text that is longer than any data url", `[{${KEY}:"${"a".repeat(100_000)}"}]`],
])("what only looks like one is none: %s", (_what, json) => {
  expect(() => JSON.parse(json) as unknown).not.toThrow();
  expect(found(json)).toEqual([]);
});

test.each([
  ["braces", "{".repeat(1_000_000)],
  ["spaces", `{${" ".repeat(1_000_000)}`.repeat(5)],
  ["a text without end", `{${KEY}:"${"\\\\".repeat(1_000_000)}`],
  ["beginnings", `{${KEY}:"`.repeat(100_000)],
  ["half an escape", `{${KEY}:"\\u00"}`],
])("what is no JSON is searched through as well: %s", (_what, text) => {
  expect(found(`${text}{${KEY}:"a"}`).slice(-1)).toEqual(["a"]);
});
