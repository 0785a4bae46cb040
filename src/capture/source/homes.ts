import type * as Acorn from "acorn";
import type * as ESTree from "estree";
import { createRequire } from "node:module";
import { endOf, startOf } from "./offsets.ts";
import { scriptSource } from "../scopes/inspect.ts";
import { type Surroundings, surroundingsOf } from "../scopes/scopes.ts";

/** What the method that a `super` belongs to was written in. */
interface Container {
  readonly node: ESTree.ObjectExpression | ESTree.Class;
  readonly isStatic: boolean;
  readonly scriptId: string;
  readonly text: string;
}

/**
 * Which of `candidates` a function's `super` belongs to. V8 does not tell, so the text around the function is read: an
 * object literal has to have made the candidate's methods, a class has to be the candidate's own.
 */
export function findHome(fn: object, candidates: readonly object[]): object | undefined {
  const container = containerOf(surroundingsOf(fn));
  if (container === undefined) return undefined;
  const fitting = [...new Set(candidates)].filter((candidate) => fits(candidate, container));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function fits(candidate: object, container: Container): boolean {
  const { node, isStatic } = container;
  if (node.type === "ObjectExpression") return madeBy(candidate, node, container);
  const klass = isStatic
    ? candidate
    : (Reflect.getOwnPropertyDescriptor(candidate, "constructor")?.value as unknown);
  if (typeof klass !== "function" || (!isStatic && klass.prototype !== candidate)) return false;
  return (
    Function.prototype.toString.call(klass) === container.text.slice(startOf(node), endOf(node)) &&
    surroundingsOf(klass).scriptId === container.scriptId
  );
}

/** Every method with a fixed name that stands in the literal is on the object, and was written where it stands. */
function madeBy(candidate: object, node: ESTree.ObjectExpression, container: Container): boolean {
  return node.properties.every((property) => {
    if (property.type !== "Property" || property.computed || !(property.method || property.kind !== "init"))
      return true;
    const name =
      property.key.type === "Identifier" ? property.key.name : String((property.key as ESTree.Literal).value);
    const descriptor = Reflect.getOwnPropertyDescriptor(candidate, name);
    const fn = (property.kind === "init" ? descriptor?.value : descriptor?.[property.kind]) as unknown;
    return typeof fn === "function" && isWithin(fn, property, container);
  });
}

function isWithin(fn: object, node: object, { scriptId, text }: Container): boolean {
  const around = surroundingsOf(fn);
  const offset = offsetOf(text, around.line, around.column);
  return around.scriptId === scriptId && startOf(node) <= offset && offset < endOf(node);
}

const programs = new Map<string, ESTree.Program | undefined>();
const KEPT = 50;

function programOf(scriptId: string, text: string): ESTree.Program | undefined {
  if (programs.has(scriptId)) return programs.get(scriptId);
  const program = parse(text);
  if (programs.size >= KEPT) programs.clear();
  programs.set(scriptId, program);
  return program;
}

/** The tree of a script's text; undefined when it is no text of ours. */
export function parse(
  text: string,
  { ranges = false }: { ranges?: boolean } = {},
): ESTree.Program | undefined {
  const acorn = createRequire(import.meta.url)("acorn") as typeof Acorn;
  for (const sourceType of ["module", "script"] as const) {
    try {
      const options: Acorn.Options = {
        ecmaVersion: "latest",
        sourceType,
        allowReturnOutsideFunction: true,
        allowHashBang: true,
        ranges,
      };
      return acorn.parse(text, options) as unknown as ESTree.Program;
    } catch {
      // Then it is the other kind, or no text of ours.
    }
  }
  return undefined;
}

function containerOf({ scriptId, line, column }: Surroundings): Container | undefined {
  const text = scriptSource(scriptId);
  const program = programOf(scriptId, text);
  if (program === undefined) return undefined;
  const offset = offsetOf(text, line, column);
  let found: Container | undefined;
  // Inner ones come later, so the last one met that holds the place is the one.
  visit(
    program,
    (node, isStatic) => {
      if (
        node.type === "ObjectExpression" ||
        node.type === "ClassExpression" ||
        node.type === "ClassDeclaration"
      ) {
        found = { node: node as unknown as Container["node"], isStatic, scriptId, text };
      }
    },
    offset,
  );
  return found;
}

const BEGINS_STRICT =
  /^(?:\uFEFF|#!.*|\s|\/\/.*|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:"use strict"|'use strict')\s*[;\n]/;
const MAY_BE_STRICT = /use strict|\bclass\b/;

/** Whether the rules are strict where a function was written: in a class, or under a directive. */
export function isStrictAt({ scriptId, line, column }: Surroundings): boolean {
  const text = scriptSource(scriptId);
  // Large files take long to parse.
  if (BEGINS_STRICT.test(text)) return true;
  if (!MAY_BE_STRICT.test(text)) return false;
  const program = programOf(scriptId, text);
  if (program === undefined) return true;
  const offset = offsetOf(text, line, column);
  let node: unknown = program;
  while (isNode(node)) {
    if (node.type === "ClassBody" || isStrictBody(node["body"])) return true;
    node = Object.values(node)
      .flat()
      .find((child) => isNode(child) && child.start <= offset && offset < child.end);
  }
  return false;
}

/** Whether a function or class expression around a function has this name, which no scope shows. */
export function isNamedAround({ scriptId, line, column }: Surroundings, name: string): boolean {
  const text = scriptSource(scriptId);
  const program = programOf(scriptId, text);
  if (program === undefined) return true;
  const offset = offsetOf(text, line, column);
  let node: unknown = program;
  while (isNode(node)) {
    const { id } = node;
    if (isNode(id) && id["name"] === name) return true;
    node = Object.values(node)
      .flat()
      .find((child) => isNode(child) && child.start <= offset && offset < child.end);
  }
  return false;
}

function isStrictBody(body: unknown): boolean {
  const statements = isNode(body) ? body["body"] : body;
  return (
    Array.isArray(statements) &&
    statements.some((statement) => isNode(statement) && statement["directive"] === "use strict")
  );
}

interface AnyNode {
  readonly start: number;
  readonly end: number;
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Visits containers of methods in whose methods the place lies. */
function visit(node: unknown, see: (container: AnyNode, isStatic: boolean) => void, offset: number): void {
  for (const child of Object.values(node as object).flat()) {
    if (!isNode(child) || child.start > offset || child.end <= offset) continue;
    const members =
      child.type === "ClassBody"
        ? (child["body"] as AnyNode[])
        : ((child["properties"] as AnyNode[] | undefined) ?? []);
    for (const member of members) {
      const isMethod = member.type !== "Property" || member["method"] === true || member["kind"] !== "init";
      if (isMethod && member.start <= offset && offset < member.end)
        see(child.type === "ClassBody" ? (node as AnyNode) : child, member["static"] === true);
    }
    visit(child, see, offset);
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && typeof (value as AnyNode).type === "string";
}

export function offsetOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let skipped = 0; skipped < line; skipped++) at = text.indexOf("\n", at) + 1;
  return at + column;
}
