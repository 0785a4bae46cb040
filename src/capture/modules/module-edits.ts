import type * as ESTree from "estree";
import type { Visited } from "./module-tree.ts";

/** A string literal that names another module; offsets include its quotes. */
export interface Link {
  readonly start: number;
  readonly end: number;
  readonly specifier: string;
  /** `static` links are loaded with the module, the others perhaps later. */
  readonly kind: "static" | "import" | "require";
  /** Only a function asks for it, if it is ever called. */
  readonly isInFunction: boolean;
}

export function linkIn({ node, isInFunction }: Visited, free: ReadonlySet<unknown>): Link | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return toLink(node["source"], "static", isInFunction);
    case "ImportExpression":
      return toLink(node["source"], "import", isInFunction);
    case "CallExpression":
      return free.has(node["callee"]) && nameOf(node["callee"]) === "require"
        ? toLink((node["arguments"] as unknown[])[0], "require", isInFunction)
        : undefined;
    default:
      return undefined;
  }
}

function toLink(literal: unknown, kind: Link["kind"], isInFunction: boolean): Link | undefined {
  const { value, start, end } = (literal ?? {}) as { value?: unknown; start: number; end: number };
  return typeof value === "string" ? { start, end, specifier: value, kind, isInFunction } : undefined;
}

export function nameOf(node: unknown): string {
  return (node as { name?: string }).name ?? "";
}

/** Calls that take the place of what Node gives a CommonJS module, character for character. */
const STAND_INS: Readonly<Record<string, string>> = { __dirname: "$ks_dir()", __filename: "$ks_file()" };

export function* editsIn(
  { node, parent, isInFunction }: Visited,
  free: ReadonlySet<unknown>,
  program: ESTree.Program,
): Iterable<[number, number, string]> {
  const { start, end } = node;
  const isMeta = node.type === "MetaProperty" && nameOf(node["meta"]) === "import";
  if (isMeta || node.type === "ImportExpression") yield [start, start + "import".length, "imp0rt"];
  if (node.type === "Identifier" && free.has(node)) {
    const standIn = STAND_INS[nameOf(node)];
    const isShorthand = parent?.["shorthand"] === true;
    if (standIn !== undefined) yield [start, end, isShorthand ? `${nameOf(node)}:${standIn}` : standIn];
    if (nameOf(node) === "require" && parent?.type === "CallExpression" && parent["callee"] === node)
      yield [start, end, "$ks_req"];
  }
  // What is added at the end is not reached then.
  if (node.type === "ReturnStatement" && !isInFunction) {
    const at = (program.body.find((statement) => !("directive" in statement)) ?? node) as { start: number };
    yield [at.start, at.start, "$ks_tell();"];
  }
}
