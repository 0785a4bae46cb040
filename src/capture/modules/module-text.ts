import type * as Acorn from "acorn";
import type * as EslintScope from "eslint-scope";
import type * as ESTree from "estree";
import { createRequire } from "node:module";
import { endOf } from "../source/offsets.ts";
import { eachNode, type Visited } from "./module-tree.ts";
import { editsIn, type Link, linkIn, nameOf } from "./module-edits.ts";
import { type Import, type ModuleNames, namesIn, readImport } from "./module-names.ts";
import { cannotTravel } from "./module-refusal.ts";

export type Format = "module" | "commonjs";

/** What the text of a module tells about it. */
export interface ModuleText extends ModuleNames {
  readonly format: Format;
  readonly text: string;
  readonly links: readonly Link[];
  /** Variables of the top level. */
  readonly names: ReadonlySet<string>;
  /** Those of them that functions assign to. */
  readonly changing: ReadonlySet<string>;
  /** The top level waits, so that the module cannot be loaded at once. */
  readonly awaits: boolean;
  /** Where the top level ends. */
  readonly end: number;
  /** Exchanges that make the text right where it is loaded as another file; of equal length wherever possible. */
  readonly edits: readonly (readonly [start: number, end: number, text: string])[];
  /** Whether a name that a function at `offset` takes from around it is a variable of the top level. */
  readonly isTopLevel: (name: string, offset: number) => boolean;
}

const require = createRequire(import.meta.url);

/** @throws ModuleRefusal when it cannot be read */
export function readModuleText(text: string, format: Format): ModuleText {
  const program = parse(text, format);
  const scopes = scopesOf(program, format);
  const wrapping = format === "commonjs" ? wrappingFunction(program) : undefined;
  const top = topScope(scopes, wrapping);
  const links: Link[] = [];
  let awaits = false;
  const edits: [number, number, string][] = [];
  const free = freeReferences(scopes, format);
  eachNode(program, (visited) => {
    awaits ||= isAwait(visited);
    const link = linkIn(visited, free);
    if (link !== undefined) links.push(link);
    edits.push(...editsIn(visited, free, program));
  });
  return {
    format,
    text,
    links,
    edits,
    awaits,
    end: wrapping === undefined ? text.length : endOf(wrapping.body) - 1,
    ...namesIn(program, scopes),
    names: new Set([...top.set.keys(), ...(format === "commonjs" ? GIVEN : [])]),
    changing: changingIn(top),
    isTopLevel: (name, offset) => isTopLevel(scopes, top, name, offset),
  };
}

/** What each name stands for that a module imports. Says nothing on a text that cannot be read. */
export function readImports(text: string): ReadonlyMap<string, Import> {
  const imports = new Map<string, Import>();
  try {
    for (const statement of parse(text, "module").body)
      if (statement.type === "ImportDeclaration") readImport(statement, imports);
  } catch {
    // Then its variables are taken for its own.
  }
  return imports;
}

function parse(text: string, format: Format): ESTree.Program {
  const acorn = require("acorn") as typeof Acorn;
  try {
    return acorn.parse(text, {
      ecmaVersion: "latest",
      sourceType: format === "module" ? "module" : "script",
      allowReturnOutsideFunction: format === "commonjs",
      allowHashBang: true,
      ranges: true,
    }) as unknown as ESTree.Program;
  } catch (cause) {
    throw cannotTravel(`its text cannot be read: ${(cause as Error).message}`, "use syntax of this year");
  }
}

function scopesOf(program: ESTree.Program, format: Format): EslintScope.ScopeManager {
  const { analyze } = require("eslint-scope") as typeof EslintScope;
  return format === "module"
    ? analyze(program, { ecmaVersion: 2025, sourceType: "module" })
    : analyze(program, { ecmaVersion: 2025, sourceType: "script", nodejsScope: true });
}

/** Below the global scope lies that of the file. */
function topScope(
  { scopes }: EslintScope.ScopeManager,
  wrapping: ESTree.ArrowFunctionExpression | undefined,
): EslintScope.Scope {
  const top = scopes.find(({ block, type }) => type === "function" && block === wrapping) ?? scopes[1];
  return top as EslintScope.Scope;
}

/** Compilers put a whole CommonJS module into an arrow function that is called at once; then its variables are there. */
function wrappingFunction({ body }: ESTree.Program): ESTree.ArrowFunctionExpression | undefined {
  const last = body.at(-1);
  const call = last?.type === "ExpressionStatement" ? last.expression : undefined;
  const callee = call?.type === "CallExpression" && call.arguments.length === 0 ? call.callee : undefined;
  const isAll = body.slice(0, -1).every((statement) => isDirective(statement) || isAssignment(statement));
  const isWrapping = callee?.type === "ArrowFunctionExpression" && callee.body.type === "BlockStatement";
  return isAll && isWrapping && !callee.async ? callee : undefined;
}

function isDirective(statement: object): boolean {
  return "directive" in statement;
}

function isAssignment(statement: ESTree.Program["body"][number]): boolean {
  return statement.type === "ExpressionStatement" && statement.expression.type === "AssignmentExpression";
}

/** Identifiers that mean what Node gives every CommonJS module, unless the module assigns something else to them. */
function freeReferences({ globalScope }: EslintScope.ScopeManager, format: Format): Set<unknown> {
  if (format === "module") return new Set();
  const free = globalScope?.through ?? [];
  const assigned = new Set(free.filter((one) => one.isWrite()).map((one) => nameOf(one.identifier)));
  return new Set(free.map(({ identifier }) => identifier).filter((one) => !assigned.has(nameOf(one))));
}

function isAwait({ node, isInFunction }: Visited): boolean {
  if (isInFunction) return false;
  return node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node["await"] === true);
}

/** Assignments by functions count; those of the top level are over when a value is made. */
function changingIn(top: EslintScope.Scope): Set<string> {
  const changing = top.variables.filter(({ references }) =>
    references.some((reference) => reference.isWrite() && reference.from.variableScope !== top),
  );
  return new Set(changing.map(({ name }) => name));
}

function isTopLevel(
  { scopes }: EslintScope.ScopeManager,
  top: EslintScope.Scope,
  name: string,
  offset: number,
): boolean {
  let around: EslintScope.Scope | null = innermost(scopes, offset);
  while (around !== null && around !== top) {
    if (around.set.has(name)) return false;
    around = around.upper;
  }
  return around === top && (top.set.has(name) || GIVEN.has(name));
}

/** What Node gives every CommonJS module. */
export const GIVEN: ReadonlySet<string> = new Set([
  "exports",
  "require",
  "module",
  "__filename",
  "__dirname",
]);

function innermost(scopes: readonly EslintScope.Scope[], offset: number): EslintScope.Scope {
  let found = scopes[0] as EslintScope.Scope;
  for (const scope of scopes) {
    const [start, end] = scope.block.range ?? [0, 0];
    // Scopes of one node come outermost first.
    if (start <= offset && offset < end && sizeOf(scope) <= sizeOf(found)) found = scope;
  }
  return found;
}

function sizeOf({ block }: EslintScope.Scope): number {
  const [start, end] = block.range ?? [0, 0];
  return end - start;
}
