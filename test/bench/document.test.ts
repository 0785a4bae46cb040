import { expect, test } from "vitest";
import { replacePlace } from "../../bench/support/document.ts";

const PAGE =
  "# A\n\n<!-- bench one -->\n\nold\n\n<!-- end -->\n\nwords\n\n<!-- bench two -->\n<!-- end -->\n";

test("a table takes the place of the one before it, and nothing else changes", () => {
  const page = replacePlace(PAGE, "one", "| new |");
  expect(page).toBe(PAGE.replace("old", "| new |"));
  expect(replacePlace(page, "one", "old")).toBe(PAGE);
});

test("a place that was empty takes a table", () => {
  expect(replacePlace(PAGE, "two", "new")).toContain("<!-- bench two -->\n\nnew\n\n<!-- end -->");
});

test("signs that mean something to String.replace are taken as they are", () => {
  expect(replacePlace(PAGE, "one", "$& $1")).toContain("\n$& $1\n");
});

test("a page without the place is an error that names it", () => {
  expect(() => replacePlace(PAGE, "three", "new")).toThrow("no place for the table three");
});
