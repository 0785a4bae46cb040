/** TypeScript's syntax tree, as far as declarations are made of it. */
import { Parser, type Node } from "acorn";
import { tsPlugin } from "@sveltejs/acorn-typescript";

/** A node of any kind: what a kind has is looked up by name. */
export type Syntax = Node & Readonly<Record<string, unknown>>;

const OPTIONS = { ecmaVersion: "latest", sourceType: "module", locations: true } as const;

/** A module's statements. `jsx` decides what `<` begins. @throws SyntaxError */
export function parseModule(text: string, file: string): readonly Syntax[] {
  const plugin = tsPlugin({ jsx: /\.[jt]sx$/.test(file), dts: /\.d\.[cm]?ts$/.test(file) });
  return nodesIn(Parser.extend(plugin).parse(text, OPTIONS), "body");
}

export function nodeIn(node: Node, key: string): Syntax | undefined {
  const value: unknown = (node as Syntax)[key];
  return isNode(value) ? value : undefined;
}

export function nodesIn(node: Node, key: string): readonly Syntax[] {
  const value: unknown = (node as Syntax)[key];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function textIn(node: Node | undefined, key: string): string | undefined {
  const value: unknown = node === undefined ? undefined : (node as Syntax)[key];
  return typeof value === "string" ? value : undefined;
}

/** The function that an offset is in, innermost; one that begins there does not count. */
export function functionAround(offset: number, nodes: readonly Syntax[]): Syntax | undefined {
  for (const node of nodes) {
    if (node.start > offset || node.end <= offset) continue;
    const inner = functionAround(offset, childrenOf(node));
    if (inner !== undefined) return inner;
    if (/^(Function|ArrowFunction)/.test(node.type) && node.start < offset) return node;
  }
  return undefined;
}

/** All nodes of that type in a node, in their order. */
export function nodesWithin(node: Syntax, type: string): readonly Syntax[] {
  const inner = childrenOf(node).flatMap((child) => nodesWithin(child, type));
  return node.type === type ? [node, ...inner] : inner;
}

function childrenOf(node: Syntax): readonly Syntax[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is Syntax {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
