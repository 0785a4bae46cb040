import { expect, test } from "vitest";
import { chain, type ChainNode } from "../../src/core/chain.ts";
import { parseNodeName, type NodeName } from "../../src/core/ids.ts";

const [A, B, C, D, E] = ["a", "b", "c", "d", "e"].map(parseNodeName) as [
  NodeName,
  NodeName,
  NodeName,
  NodeName,
  NodeName,
];
const node = (name: NodeName, freeBytes = 1e9, takesData = true): ChainNode => ({
  name,
  freeBytes,
  takesData,
});
const living = [node(A), node(B), node(C), node(D), node(E)];

test("each pulls from the one before it, and from those before that when it dies", () => {
  const { links, failed } = chain({ holders: [C], living });
  expect(failed).toEqual([]);
  expect(links).toEqual([
    { node: A, from: [C] },
    { node: B, from: [A, C] },
    { node: D, from: [B, A, C] },
    { node: E, from: [D, B, A, C] },
  ]);
});

test("nodes that have the data or take none are no links", () => {
  const { links } = chain({ holders: [A, B], living: [node(A), node(B), node(C), node(D, 1e9, false)] });
  expect(links).toEqual([{ node: C, from: [A, B] }]);
});

test("nodes that were asked for and cannot take part are named with the reason", () => {
  const { links, failed } = chain({
    holders: [A],
    living: [node(A), node(B, 1e9, false), node(C)],
    nodes: [A, B, C, D],
  });
  expect(links.map((link) => link.node)).toEqual([C]);
  expect(failed).toEqual([
    { node: B, reason: "it is read-only" },
    { node: D, reason: "no node of this name is there" },
  ]);
});

test("copies counts the nodes that have it in the end, those with most room first", () => {
  const roomy = [node(A), node(B, 1), node(C, 3), node(D, 2)];
  const names = (copies: number): NodeName[] =>
    chain({ holders: [A], living: roomy, copies }).links.map((link) => link.node);
  expect(names(1)).toEqual([]);
  expect(names(2)).toEqual([C]);
  expect(names(3)).toEqual([C, D]);
  expect(names(9)).toEqual([B, C, D]);
});

test("nodes that were tried in vain are not tried again, and others take their places", () => {
  const roomy = [node(A), node(B, 1), node(C, 3), node(D, 2)];
  const names = (tried: NodeName[]): NodeName[] =>
    chain({ holders: [A], tried, living: roomy, copies: 2 }).links.map((link) => link.node);
  expect(names([])).toEqual([C]);
  expect(names([C])).toEqual([D]);
  expect(names([C, D, B])).toEqual([]);
  expect(chain({ holders: [A], tried: [B], living: roomy, nodes: [B] })).toEqual({ links: [], failed: [] });
});

test("nodes that give no sign count as no copies and get none; they are pulled from behind all others", () => {
  const { links } = chain({ holders: [C], silent: [B], living, copies: 3 });
  expect(links).toEqual([
    { node: A, from: [C, B] },
    { node: D, from: [A, C, B] },
  ]);
  expect(chain({ holders: [], silent: [A, B], living: [node(A), node(B), node(C)] }).links).toEqual([
    { node: C, from: [A, B] },
  ]);
});

test.each([0, -1, 1.5, Number.NaN])("%d copies are refused", (copies) => {
  expect(() => chain({ holders: [A], living, copies })).toThrow("Not a number of copies");
});
