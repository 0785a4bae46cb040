import { expect, test } from "vitest";
import { figure, markdown, medianAndRange, wrap } from "../../bench/support/table.ts";

test("figures have three significant digits", () => {
  expect([51_481, 7.248, 0.7712, 98.6, 0.01234, 300, 0].map(figure)).toEqual([
    "51,500",
    "7.25",
    "0.771",
    "98.6",
    "0.0123",
    "300",
    "0",
  ]);
});

test("what could not be measured is a dash", () => {
  expect(figure(Number.NaN)).toBe("–");
});

test("the median stands before the range, and alone when there was one round", () => {
  expect(medianAndRange([3, 1, 2])).toBe("2 (1 to 3)");
  expect(medianAndRange([2])).toBe("2");
});

test("a table is Markdown with figures on the right", () => {
  const table = {
    name: "t",
    columns: ["way", "calls/s"],
    rows: [["queued", 12_345] as const, ["instant", "9 (8 to 10)"] as const],
  };
  expect(markdown(table)).toBe(
    [
      "| way     |     calls/s |",
      "|---------|------------:|",
      "| queued  |      12,300 |",
      "| instant | 9 (8 to 10) |",
    ].join("\n"),
  );
});

test("text is wrapped between words, to lines that are not too long", () => {
  expect(wrap("one two three four", 9)).toBe("one two\nthree\nfour");
  expect(wrap("a-very-long-word b", 5)).toBe("a-very-long-word\nb");
});
