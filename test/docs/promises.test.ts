/** What the pages promise for every fault and every attack is what tests of that number prove. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT, rowsOf } from "./support/markdown.ts";

/** Titles of tests, also of those that are made from a table: `test.each(ROUTES)("attack 2: …")`. */
function titlesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .flatMap(
      (name) => readFileSync(join(ROOT, folder, name), "utf8").match(/["'`](fault|attack) \d+.*/g) ?? [],
    );
}

function numbersIn(titles: readonly string[], word: string): number[] {
  const found = titles.flatMap((title) => {
    const [, numbers = ""] = new RegExp(`^["'\`]${word} (\\d+(?:(?:, | and )\\d+)*)`).exec(title) ?? [];
    return numbers.match(/\d+/g) ?? [];
  });
  return [...new Set(found.map(Number))].toSorted((a, b) => a - b);
}

/** The rows of the page's table that has numbers in its first column, headed by `#`. */
function promisesOf(page: string): string[][] {
  const rows = rowsOf(page);
  const head = rows.findIndex(([first]) => first === "#");
  const length = rows.slice(head + 2).findIndex(([number = ""]) => !/^\d+$/.test(number));
  return rows.slice(head + 2, length < 0 ? undefined : head + 2 + length);
}

describe.each([
  { page: "docs/operations.md", word: "fault", folders: ["test/cluster", "test/store"] },
  { page: "docs/security.md", word: "attack", folders: ["test/security"] },
])("the table of $page", ({ page, word, folders }) => {
  const rows = promisesOf(page);
  const told = rows.map(([number]) => Number(number));

  test("counts its rows from 1 on, and says of each what happens and what comes out", () => {
    expect(told).toEqual(told.map((_, at) => at + 1));
    expect(told.length).toBeGreaterThan(10);
    for (const [number, happens = "", answer = ""] of rows)
      expect([number, happens.length > 10, answer.length > 10]).toEqual([number, true, true]);
  });

  test("has a test of its number for each row, and no test is of a row that is not there", () => {
    expect(numbersIn(folders.flatMap(titlesIn), word)).toEqual(told);
  });
});
