import { expect, test } from "vitest";
import { median, quantile, rangeOf, ratios } from "../../bench/support/statistics.ts";

test("the median is the one in the middle, whatever the order", () => {
  expect(median([9, 1, 4])).toBe(4);
});

test("the median of an even number is the mean of the two in the middle", () => {
  expect(median([4, 1, 9, 2])).toBe(3);
});

test("a quantile is a value that was measured", () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect([0, 0.5, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([1, 50, 99, 100]);
  expect(quantile([7], 0.99)).toBe(7);
});

test("the range goes from the lowest to the highest", () => {
  expect(rangeOf([3, 1, 2])).toEqual({ lowest: 1, highest: 3 });
});

test("ratios compare what was measured in the same round", () => {
  expect(ratios([10, 40], [5, 10])).toEqual([2, 4]);
});

test("rounds that are missing are no silent comparison", () => {
  expect(() => ratios([1, 2], [1])).toThrow("Cannot compare 2 rounds with 1");
  expect(() => median([])).toThrow("Nothing was measured");
});
