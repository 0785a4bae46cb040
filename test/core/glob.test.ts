import fc from "fast-check";
import { expect, test } from "vitest";
import { parseGlob } from "../../src/core/glob.ts";

const matches = (pattern: string, text: string): boolean => parseGlob(pattern).matches(text);

test.each([
  ["data/*csv", "data/rows.csv", true],
  ["data/*csv", "data/2024/rows.csv", false],
  ["data/*", "data", false],
  ["*", "data", true],
  ["**", "a/b/c", true],
  ["a/**", "a/b/c", true],
  ["a/**", "a", false],
  ["**/x", "x", true],
  ["**/x", "a/b/x", true],
  ["a/**/b", "a/b", true],
  ["a/**/b", "a/x/y/b", true],
  ["a/**/**", "a/b", true],
  ["a/**/**", "a", false],
  ["a**b", "a/b", false],
  ["a**b", "axxb", true],
  ["r?ws", "rows", true],
  ["r?ws", "r/ws", false],
  ["?", "😀", true],
  ["[a-c]x", "bx", true],
  ["[!a-c]x", "bx", false],
  ["[^a-c]x", "dx", true],
  ["[]x]", "]", true],
  ["[a-]", "-", true],
  ["\\*", "*", true],
  ["\\*", "a", false],
  ["[\\]]", "]", true],
])("%s on %s: %s", (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected);
});

test.each(["", "[ab", "a\\", "[a/b]", "x".repeat(1_001), "é".repeat(600), 5])(
  "%j is no pattern",
  (pattern) => {
    expect(() => parseGlob(pattern)).toThrow(expect.objectContaining({ code: "KS_BAD_REQUEST" }));
  },
);

test.each([
  ["data/2024-*.csv", "data/2024-", false],
  ["data/**/x", "data/", false],
  ["**", "", false],
  ["data/rows.csv", "data/rows.csv", true],
  ["data/\\*rows", "data/*rows", true],
  ["d[ab]", "d", false],
])("%s begins with %j", (pattern, prefix, isLiteral) => {
  expect(parseGlob(pattern)).toMatchObject({ literalPrefix: prefix, isLiteral });
});

/** Tries everything: slow, and plain to see. */
function naive(pattern: string, text: string): boolean {
  const parts = pattern.split("/");
  if (parts.at(-1) === "**") parts.push("*");
  return naiveParts(parts, text.split("/"));
}

function naiveParts([part, ...parts]: string[], texts: string[]): boolean {
  if (part === undefined) return texts.length === 0;
  if (part === "**")
    return texts.some((_, from) => naiveParts(parts, texts.slice(from))) || naiveParts(parts, []);
  return texts.length > 0 && naiveText(part, texts[0] as string) && naiveParts(parts, texts.slice(1));
}

function naiveText(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern.startsWith("*"))
    return naiveText(pattern.slice(1), text) || (text !== "" && naiveText(pattern, text.slice(1)));
  const isOne = text !== "" && (pattern.startsWith("?") || pattern[0] === text[0]);
  return isOne && naiveText(pattern.slice(1), text.slice(1));
}

const part = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 5 });
const patternPart = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 6 }),
  fc.constant("**"),
);

test("a pattern matches what trying everything matches", () => {
  let matched = 0;
  fc.assert(
    fc.property(
      fc.array(patternPart, { minLength: 1, maxLength: 5 }),
      fc.array(part, { minLength: 1, maxLength: 5 }),
      (patterns, texts) => {
        const [pattern, text] = [patterns.join("/"), texts.join("/")];
        const expected = naive(pattern, text);
        matched += expected ? 1 : 0;
        expect(matches(pattern, text)).toBe(expected);
      },
    ),
    { numRuns: 5_000 },
  );
  expect(matched).toBeGreaterThan(200);
});

test("what matches begins with the literal prefix", () => {
  fc.assert(
    fc.property(
      fc.array(patternPart, { minLength: 1 }),
      fc.array(part, { minLength: 1 }),
      (patterns, texts) => {
        const [glob, text] = [parseGlob(patterns.join("/")), texts.join("/")];
        fc.pre(naive(glob.pattern, text));
        expect(text.startsWith(glob.literalPrefix)).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

test.each([
  [`${"*a".repeat(100)}*b`, "a".repeat(1_000)],
  [`${"*a/".repeat(100)}b`, "aaaa/".repeat(200)],
  [`${"**/*a*a/".repeat(50)}b`, `${"aaaa/".repeat(200)}a`],
])(
  "a pattern that asks for much going back takes no more steps than text times pattern: %#",
  (pattern, text) => {
    const { isMatch, steps } = parseGlob(pattern).match(text);
    expect(isMatch).toBe(false);
    expect(steps).toBeLessThanOrEqual(pattern.length * text.length);
  },
);
