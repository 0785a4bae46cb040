import type { Analysis } from "./analyse.ts";
import type { Surroundings } from "../scopes/scopes.ts";
import { endOf, startOf } from "./offsets.ts";
import type { CodePlace } from "../wire/units.ts";

/** Where the text of a function begins: V8 tells where its parameters do. */
export function placeOf(
  { line, column }: Pick<Surroundings, "line" | "column">,
  url: string,
  source: string,
  analysis: Analysis,
): CodePlace {
  const mark = markIn(source, analysis);
  const before = source.slice(0, mark);
  const lines = before.split("\n").length - 1;
  // On another line than the text begins with, the column tells nothing about where it began.
  return { url, line: line - lines, column: lines === 0 ? column - mark : 0 };
}

function markIn(source: string, { node, isArrow, offset }: Analysis): number {
  if (isArrow) return 0;
  if ("superClass" in node) return constructorMark(node, offset);
  if ("id" in node && node.id) return source.indexOf("(", endOf(node.id) - offset);
  const begin = startOf(node) - offset;
  // The tree of a method begins at its parameters, that of a function at its keyword.
  return source.indexOf("(", Math.max(begin, 0));
}

function constructorMark(node: Extract<Analysis["node"], { superClass?: unknown }>, offset: number): number {
  const maker = node.body.body.find(
    (member) => member.type === "MethodDefinition" && member.kind === "constructor",
  );
  return maker?.type === "MethodDefinition" ? startOf(maker.value) - offset : 0;
}
