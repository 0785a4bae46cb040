import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { costs, type CpuProfile } from "../../bench/profile/costs.ts";
import { temporaryDirectory } from "../support/temporary.ts";

type Frame = readonly [functionName: string, url: string, lineNumber?: number];

/** One sample of 10 µs of each stack, the outermost frame first. */
function profileOf(...stacks: readonly (readonly Frame[])[]): CpuProfile {
  const nodes = [{ id: 1, callFrame: frame(["(root)", ""]), children: [] as number[] }];
  const samples = stacks.map((stack) => {
    let at = nodes[0]!;
    for (const each of stack) {
      const next = { id: nodes.length + 1, callFrame: frame(each), children: [] };
      nodes.push(next);
      at.children.push(next.id);
      at = next;
    }
    return at.id;
  });
  return { nodes, startTime: 1_000, samples, timeDeltas: samples.map(() => 10) };
}

function frame([functionName, url, lineNumber = 0]: Frame): CpuProfile["nodes"][number]["callFrame"] {
  return { functionName, url, lineNumber };
}

const ALWAYS = { from: 0, to: Infinity };
const READ = ["onStreamRead", "node:internal/stream_base_commons"] as const;
const HUB = ["finished", "file:///any/dist/node/hub.js"] as const;

test("what Node does counts for the part that called it, and else for Node itself", () => {
  const profile = profileOf([READ], [READ, HUB, ["writeBuffer", ""]], [READ, HUB]);
  const found = costs([profile], ALWAYS);
  const [node, hub] = ["Node itself: sockets, pipes, streams, HTTP", "node: submissions, dispatch, hub"];
  expect([...found.keys()].toSorted()).toEqual([node, hub]);
  expect(found.get(node)).toBeCloseTo(1 / 3);
  expect(found.get(hub)).toBeCloseTo(2 / 3);
});

test("time without work is no cost, and garbage collection is one of its own", () => {
  const found = costs([profileOf([["(idle)", ""]], [HUB, ["(garbage collector)", ""]], [HUB])], ALWAYS);
  expect(found.get("garbage collection")).toBe(0.5);
  expect([...found.values()].reduce((sum, share) => sum + share)).toBe(1);
});

test("samples outside of the window do not count", () => {
  const found = costs([profileOf([READ], [HUB], [READ])], { from: 1_015, to: 1_025 });
  expect([...found]).toEqual([["node: submissions, dispatch, hub", 1]]);
});

test("a module that the build put into a file with others is found by the comment before it", () => {
  const folder = join(temporaryDirectory(), "dist", "parts");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "node.js");
  writeFileSync(file, "// src/store/redis/store.ts\nrun();\n// node_modules/ioredis/x.js\nsend();\n");
  const { href } = pathToFileURL(file);
  const found = costs([profileOf([["run", href, 1]], [["send", href, 3]])], ALWAYS);
  expect([...found.keys()]).toEqual(["store: commands and replies", "store: ioredis"]);
});
