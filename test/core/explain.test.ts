import { expect, test } from "vitest";
import { parseDataUrl } from "../../src/core/data-url.ts";
import { explain, type ExplainedJob, type PlacementRecord } from "../../src/core/explain.ts";
import { parseJobId, parseNodeName } from "../../src/core/ids.ts";
import { showBytes } from "../../src/core/show-bytes.ts";

const [n1, n2, n3] = [parseNodeName("node1"), parseNodeName("node2"), parseNodeName("node3")];
const job: ExplainedJob = {
  id: parseJobId("01234567-89ab-7def-8123-456789abcdef"),
  state: "running",
  queue: "default",
  node: n2,
  isServed: true,
};
const placement: PlacementRecord = {
  thresholdBytes: 200_000_000,
  inputs: [{ url: parseDataUrl("a"), size: 1_000_000, replicas: [n2] }],
  candidates: [
    { node: n2, missingBytes: 0, headStartMs: 0 },
    { node: n1, missingBytes: 1_000_000, headStartMs: 30 },
  ],
  leftOut: [],
};
const why = (changes: Partial<ExplainedJob>, record: PlacementRecord | undefined = placement): string =>
  explain({ ...job, ...changes }, record).why;

test("the best node is said to have lacked the least", () => {
  expect(why({})).toBe("node2 lacked 0 B, and nobody less; it had a free worker first");
});

test("another node is said to have taken it because the best one was busy", () => {
  expect(why({ node: n1, state: "succeeded" })).toBe(
    "node1 lacked 1 MB; node2 lacked less (0 B), but had no free worker within the head start of 30 ms",
  );
});

test("a job that waits is said to wait for whom", () => {
  expect(why({ node: undefined, state: "queued" })).toBe(
    "node2 lacks the fewest bytes (0 B) and may take it first; node1 may after 30 ms",
  );
});

test("a node that came later is said to have", () => {
  expect(why({ node: n3 })).toContain("node3 joined after");
});

test("a job that nobody may run is said to be too far from its data", () => {
  const nowhere = {
    ...placement,
    candidates: [],
    leftOut: [{ node: n1, missingBytes: 3e8, reason: "over-threshold" as const }],
  };
  expect(why({ node: undefined, state: "failed" }, nowhere)).toContain("threshold of 200 MB");
});

test.each([placement, undefined])(
  "a job of a queue that no node runs is said to wait for such a node",
  (record) => {
    const waiting = { ...job, node: undefined, state: "queued", isServed: false } as const;
    expect(explain({ ...waiting, queue: "gpu" }, record).why).toBe(
      "it waits: no node runs the queue gpu (kitchensink start --queue gpu)",
    );
    expect(explain({ ...waiting, queue: "default|node3" }, record).why).toContain(
      "there is no node of the name node3",
    );
    expect(explain({ ...waiting, state: "cancelled" }, record).why).not.toContain("it waits");
  },
);

test("without data, or for one node, that is what is said", () => {
  const unplaced = explain(job, undefined);
  expect(unplaced.why).toContain("any node of the queue default may take it, and node2");
  expect(unplaced).toMatchObject({ inputs: [], candidates: [], leftOut: [], node: n2 });
  expect(explain({ ...job, queue: "default|node3" }, undefined).why).toBe("it was submitted for node3 alone");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1 kB"],
  [1_100_000, "1.1 MB"],
  [999_600, "1 MB"],
  [12_345_678, "12 MB"],
  [200_000_000, "200 MB"],
  [2e9, "2 GB"],
])("%d bytes are shown as %s", (bytes, shown) => {
  expect(showBytes(bytes)).toBe(shown);
});
