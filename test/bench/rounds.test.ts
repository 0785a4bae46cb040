import { expect, test } from "vitest";
import { inRounds, rotated } from "../../bench/support/rounds.ts";

test("every round begins with the next one", () => {
  expect([0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""))).toEqual([
    "abc",
    "bca",
    "cab",
    "abc",
  ]);
});

test("all are measured once a round, one after the other, and figures keep the order of the rounds", async () => {
  const seen: string[] = [];
  const { figures, referenceMs } = await inRounds(["a", "b"], 2, async (name) => {
    seen.push(name);
    return seen.length;
  });
  expect(seen).toEqual(["a", "b", "b", "a"]);
  expect([...figures]).toEqual([
    ["a", [1, 4]],
    ["b", [2, 3]],
  ]);
  expect(referenceMs).toHaveLength(2);
});
