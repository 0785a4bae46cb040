import { posix } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isDataUrl, parseDataUrl } from "../../src/core/data-url.ts";

test.each(["a", "mylarge/dataset", "data/2026/rows.csv", "with space/ünï.parquet", "a[1]/b*?", "a..b"])(
  "%s is a data url",
  (text) => {
    expect(parseDataUrl(text)).toBe(text);
    expect(isDataUrl(text)).toBe(true);
  },
);

test.each([
  ["", "empty"],
  ["/etc/passwd", "begins with a slash"],
  ["a/../b", "begins with a dot"],
  ["..", "begins with a dot"],
  ["a/./b", "begins with a dot"],
  [".kitchensink/replicas.jsonl", "begins with a dot"],
  ["a//b", "empty part"],
  ["a/", "ends with a slash"],
  ["a\0b", "control character"],
  ["a\nb", "control character"],
  ["a\\b", "backslash"],
  ["\ud800", "half a character"],
  ["e\u0301", "NFC"],
  ["x".repeat(201), "longer than 200 bytes"],
  ["ü".repeat(101), "longer than 200 bytes"],
  [Array.from({ length: 600 }, () => "x").join("/"), "longer than 1000 bytes"],
])("%j is none, and the message says why", (text, why) => {
  expect(isDataUrl(text)).toBe(false);
  expect(() => parseDataUrl(text)).toThrow(why);
});

test.each([undefined, 1, null, {}])("%j is none: it is no text", (value) => {
  expect(() => parseDataUrl(value)).toThrow(expect.objectContaining({ code: "KS_BAD_REQUEST" }));
});

test("no data url leads out of the directory that it is relative to", () => {
  const part = fc.oneof(fc.constantFrom("..", ".", "", "a", "/", "\\"), fc.string({ maxLength: 5 }));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const text = parts.join("/");
      if (!isDataUrl(text)) return;
      expect(posix.resolve("/data", text)).toBe(`/data/${text}`);
      expect(text.split("/").some((segment) => segment === ".." || segment === "." || segment === "")).toBe(
        false,
      );
    }),
  );
});
