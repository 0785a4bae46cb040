import { expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-codes.ts";
import { rowsOf } from "./support/markdown.ts";

test("the exit codes of docs/operations.md are those that commands end with", () => {
  const told = rowsOf("docs/operations.md").flatMap(([first = ""]) => /^`(\d+)`$/.exec(first)?.[1] ?? []);
  expect(told.map(Number)).toEqual(Object.values(EXIT));
});
