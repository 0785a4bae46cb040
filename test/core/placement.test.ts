import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDataUrl } from "../../src/core/data-url.ts";
import { parseNodeName, type NodeName } from "../../src/core/ids.ts";
import { place, type PlacementInput, type PlacementNode } from "../../src/core/placement.ts";

const [N1, N2, N3] = ["node1", "node2", "node3"].map(parseNodeName) as [NodeName, NodeName, NodeName];
const MB = 1_000_000;
const THRESHOLD = { thresholdBytes: 200 * MB };

const node = (name: NodeName, options: Partial<PlacementNode> = {}): PlacementNode => ({
  name,
  queues: ["default"],
  takesData: true,
  ...options,
});
const THREE = [node(N1), node(N2), node(N3)];
const input = (url: string, size: number, ...holders: NodeName[]): PlacementInput => ({
  url: parseDataUrl(url),
  size,
  holders,
});
const placed = (inputs: readonly PlacementInput[], nodes: readonly PlacementNode[] = THREE) =>
  place({ queue: "default", inputs, nodes, ...THRESHOLD });
const offered = (...args: Parameters<typeof placed>) => {
  const placement = placed(...args);
  if (placement.type !== "offered") throw new Error(`It is placed ${placement.type}`);
  return placement;
};

describe("the ranking", () => {
  test("a job without data may run anywhere", () => {
    expect(placed([])).toMatchObject({ type: "anywhere", candidates: [{}, {}, {}] });
  });

  test("the node that has the data comes first, at once; the others share what follows", () => {
    const { candidates, offers, othersDelayMs } = offered([input("a", MB, N2)]);
    expect(candidates.map(({ node: name, missingBytes }) => [name, missingBytes])).toEqual([
      [N2, 0],
      [N1, MB],
      [N3, MB],
    ]);
    expect(offers).toEqual([{ node: N2, delayMs: 0 }]);
    expect(othersDelayMs).toBe(30);
    expect(candidates.map(({ headStartMs }) => headStartMs)).toEqual([0, 30, 30]);
  });

  test("1 MB on node 1 and 100 KB on node 2: node 1, node 2, node 3 in that order", () => {
    const { candidates, offers, othersDelayMs } = offered([input("a", MB, N1), input("b", MB / 10, N2)]);
    expect(candidates.map(({ node: name, missingBytes }) => [name, missingBytes])).toEqual([
      [N1, MB / 10],
      [N2, MB],
      [N3, 1.1 * MB],
    ]);
    expect(offers.map((offer) => offer.node)).toEqual([N1, N2]);
    const [first, second] = offers.map(({ delayMs }) => delayMs);
    expect(first).toBe(0);
    expect(second).toBeGreaterThanOrEqual(20);
    expect(othersDelayMs).toBeGreaterThanOrEqual(second! + 20);
  });

  test("nobody waits longer than moving the difference would take, and a little for each rank", () => {
    const { candidates } = offered([input("a", 150 * MB, N1)]);
    expect(candidates.at(-1)?.headStartMs).toBe(1_520);
  });

  test("of nodes that lack the same, it is still told how much", () => {
    const gpu = [node(N2, { queues: ["gpu"] }), node(N3, { queues: ["gpu"] })];
    const nodes = [node(N1), ...gpu];
    expect(place({ queue: "gpu", inputs: [input("a", MB, N1)], nodes, ...THRESHOLD })).toEqual({
      type: "anywhere",
      candidates: [N2, N3].map((name) => ({ node: name, missingBytes: MB, headStartMs: 0 })),
    });
  });

  test("where all nodes lack the same, any may run it", () => {
    expect(placed([input("a", MB, N1, N2, N3)])).toMatchObject({ type: "anywhere" });
    expect(placed([input("a", MB, N1)], [node(N1)])).toMatchObject({ type: "anywhere" });
  });

  test("data that no living node has count for nobody", () => {
    expect(placed([input("gone", 500 * MB)])).toMatchObject({ type: "anywhere" });
    expect(offered([input("gone", 500 * MB), input("a", MB, N3)]).candidates[0]).toMatchObject({
      node: N3,
      missingBytes: 0,
    });
  });
});

describe("who is left out", () => {
  test("nodes that lack more than the threshold", () => {
    const { candidates, leftOut, othersDelayMs } = offered([input("a", 201 * MB, N1)]);
    expect(candidates.map((candidate) => candidate.node)).toEqual([N1]);
    expect(leftOut.map((out) => [out.node, out.reason, out.missingBytes])).toEqual([
      [N2, "over-threshold", 201 * MB],
      [N3, "over-threshold", 201 * MB],
    ]);
    expect(othersDelayMs).toBeNull();
  });

  test("exactly the threshold is allowed", () => {
    expect(offered([input("a", 200 * MB, N1)]).leftOut).toEqual([]);
  });

  test("all of them: the job is placed nowhere", () => {
    const placement = placed([input("a", 300 * MB, N1), input("b", 300 * MB, N2)]);
    expect(placement).toMatchObject({
      type: "nowhere",
      leftOut: [
        { node: N1, missingBytes: 300 * MB },
        { node: N2, missingBytes: 300 * MB },
        { node: N3, missingBytes: 600 * MB },
      ],
    });
  });

  test("a read-only node, unless it has all the data", () => {
    const nodes = [node(N1), node(N2, { takesData: false }), node(N3, { takesData: false })];
    const { candidates, leftOut } = offered([input("a", MB, N1, N2)], nodes);
    expect(candidates.map((candidate) => candidate.node)).toEqual([N1, N2]);
    expect(leftOut).toEqual([{ node: N3, missingBytes: MB, reason: "read-only" }]);
  });

  test("nodes of other queues are not even considered", () => {
    const gpu = node(N3, { queues: ["gpu"] });
    const placement = place({
      queue: "gpu",
      inputs: [input("a", MB, N1)],
      nodes: [node(N1), node(N2), gpu],
      ...THRESHOLD,
    });
    expect(placement).toMatchObject({ type: "anywhere" });
  });

  test("where nobody serves the queue, whoever comes takes it", () => {
    expect(
      place({ queue: "gpu", inputs: [input("a", 900 * MB, N1)], nodes: THREE, ...THRESHOLD }),
    ).toMatchObject({
      type: "offered",
      offers: [],
      othersDelayMs: 0,
    });
  });
});

test("whatever lies where: best first, head starts grow with what is missing, everybody is named once", () => {
  const names = Array.from({ length: 6 }, (_, at) => parseNodeName(`n${at}`));
  const anyInput = fc.record({
    size: fc.integer({ min: 0, max: 300 * MB }),
    holders: fc.subarray(names),
  });
  fc.assert(
    fc.property(fc.array(anyInput, { maxLength: 5 }), fc.subarray(names), (rows, readOnly) => {
      const inputs = rows.map(({ size, holders }, at) => input(`d${at}`, size, ...holders));
      const nodes = names.map((name) => node(name, { takesData: !readOnly.includes(name) }));
      const placement = placed(inputs, nodes);
      if (placement.type === "anywhere") return;
      const candidates = placement.type === "offered" ? placement.candidates : [];
      const all = [...candidates, ...placement.leftOut].map((one) => one.node);
      expect(all.toSorted()).toEqual(names.toSorted());
      for (const [at, { missingBytes, headStartMs }] of candidates.entries()) {
        const before = candidates[at - 1];
        expect(missingBytes).toBeLessThanOrEqual(THRESHOLD.thresholdBytes);
        if (before === undefined) expect(headStartMs).toBe(0);
        else if (before.missingBytes === missingBytes) expect(headStartMs).toBe(before.headStartMs);
        else expect(headStartMs).toBeGreaterThanOrEqual(before.headStartMs);
      }
      if (placement.type === "offered" && placement.othersDelayMs !== null) {
        const named = new Set(placement.offers.map((offer) => offer.node));
        for (const { node: name, headStartMs } of candidates)
          if (!named.has(name)) expect(headStartMs).toBe(placement.othersDelayMs);
      }
    }),
  );
});
