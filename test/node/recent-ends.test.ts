import { expect, test } from "vitest";
import { RecentEnds } from "../../src/node/jobs/recent-ends.ts";
import type { FinishRow } from "../../src/store/port.ts";
import { newId } from "../store/support/harness.ts";

const ends = (count: number, bytes = 0): FinishRow[] =>
  Array.from({ length: count }, () => ({
    id: newId(),
    attempt: 1,
    next: "succeeded",
    outcome: new Uint8Array(bytes),
  }));

test("ends are kept for 10 s", () => {
  const recent = new RecentEnds();
  const [first, second] = [ends(1), ends(2)];
  recent.add(first, 0);
  recent.add(second, 5_000);
  expect(recent.list(9_999)).toEqual([first, second]);
  expect(recent.list(10_000)).toEqual([second]);
  expect(recent.list(15_000)).toEqual([]);
});

test("of more than 5000 ends, or more than 16 MiB, the last ones are kept", () => {
  const recent = new RecentEnds();
  const batches = [ends(2_000), ends(2_000), ends(2_000)] as const;
  for (const batch of batches) recent.add(batch, 0);
  expect(recent.list(0)).toEqual(batches.slice(1));
  const large = ends(1, 16 * 1024 * 1024);
  recent.add(large, 0);
  expect(recent.list(0)).toEqual([batches[1], batches[2], large]);
  recent.add(ends(1, 1), 0);
  expect(recent.list(0)).toHaveLength(1);
});
