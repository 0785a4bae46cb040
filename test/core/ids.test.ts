import { expect, test } from "vitest";
import {
  parseJobId,
  parseNodeName,
  parseQueue,
  parseSharedQueue,
  parseUnitHash,
} from "../../src/core/ids.ts";

test.each([
  [parseJobId, "01890000-0000-7000-8000-000000000000"],
  [parseNodeName, "my-machine.local-6323"],
  [parseQueue, "gpu"],
  [parseQueue, "default|node3"],
  [parseSharedQueue, "gpu"],
  [parseUnitHash, "a".repeat(43)],
])("%o takes %s", (parse, text) => {
  expect(parse(text)).toBe(text);
});

test.each([
  [
    parseJobId,
    ["", "x", 1, null, "01890000-0000-7000-8000-00000000000G", "01890000-0000-7000-8000-000000000000\n"],
  ],
  [parseNodeName, ["", "a b", "-x", "a".repeat(101), "a|b", "ü"]],
  [parseQueue, ["", "|n", "a|", "a|b|c", "a b", "a\0"]],
  [parseSharedQueue, ["", "default|node3", "a b", "a".repeat(65)]],
  [parseUnitHash, ["", "a".repeat(42), "a".repeat(44), `${"a".repeat(42)}+`]],
])("%o refuses everything else, and says what it expected", (parse, texts) => {
  for (const text of texts) expect(() => parse(text)).toThrow(/expected/);
});
