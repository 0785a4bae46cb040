import type * as Acorn from "acorn";
import type * as EslintScope from "eslint-scope";
import type * as ESTree from "estree";
import { createRequire } from "node:module";
import { readUses, type Uses } from "./uses.ts";
import type { Form } from "../wire/units.ts";

/** What the text of a function tells about it. */
export interface Analysis extends Uses {
  readonly form: Form;
  readonly node: ESTree.Function | ESTree.Class;
  readonly member: ESTree.Property | ESTree.MethodDefinition | null;
  /** What has to be taken from a position in the tree to have it in the source. */
  readonly offset: number;
  /** Names that the function takes from around it; true for those it writes. */
  readonly free: ReadonlyMap<string, boolean>;
  readonly isArrow: boolean;
  /** The function's own name, when its text refers to it. */
  readonly selfName: string | undefined;
  /** A class whose text gives it a static member called "name", which its own name must not overwrite. */
  readonly hasStaticName: boolean;
  /** Functions inside of it use its parameters, which under loose rules its `arguments` are tied to. */
  readonly sharesParameters: boolean;
  /** The text is a program under strict rules. */
  readonly parsesStrict: boolean;
}

const KEPT = 5_000;
const analyses = new Map<string, Analysis>();

/** @throws SyntaxError when no reading of the text as a function makes sense */
export function analyse(source: string): Analysis {
  const known = analyses.get(source);
  if (known !== undefined) return known;
  const analysis = read(source);
  if (analyses.size >= KEPT) analyses.delete(analyses.keys().next().value as string);
  analyses.set(source, analysis);
  return analysis;
}

// Both take 12 ms to load, which a client that never captures a function need not spend.
let tools: { acorn: typeof Acorn; scope: typeof EslintScope } | undefined;

function load(): { acorn: typeof Acorn; scope: typeof EslintScope } {
  if (tools !== undefined) return tools;
  const require = createRequire(import.meta.url);
  return (tools = {
    acorn: require("acorn") as typeof Acorn,
    scope: require("eslint-scope") as typeof EslintScope,
  });
}

const READINGS = [
  { wrapping: ["(", ")"], pick: pickExpression },
  { wrapping: ["({", "})"], pick: pickProperty },
  { wrapping: ["(class{", "})"], pick: pickMember },
  // What a class extends, and its computed keys, may await and yield as the code around the class may.
  { wrapping: ["(async function*(){(", ")})"], pick: pickClass },
] as const;

function read(source: string): Analysis {
  let failure: unknown;
  for (const { wrapping, pick } of READINGS) {
    const text = wrapping[0] + source + wrapping[1];
    const strict = tryParse(text, true);
    const parsed = strict.program === undefined ? tryParse(text, false) : strict;
    if (parsed.program === undefined) {
      failure ??= parsed.failure;
      continue;
    }
    const statement = parsed.program.body.at(-1) as ESTree.ExpressionStatement;
    const picked = pick(statement.expression);
    if (picked === undefined) continue;
    const shift = parsed.shift + wrapping[0].length;
    return describe(parsed.program, picked, { source, offset: shift, parsesStrict: parsed === strict });
  }
  throw failure ?? new SyntaxError("not the text of a function");
}

interface Parsed {
  readonly program?: ESTree.Program;
  readonly failure?: unknown;
  readonly shift: number;
}

const DIRECTIVE = `"use strict";`;

function tryParse(text: string, isStrict: boolean): Parsed {
  const shift = isStrict ? DIRECTIVE.length : 0;
  try {
    const program = load().acorn.parse((isStrict ? DIRECTIVE : "") + text, {
      ecmaVersion: "latest",
      sourceType: "script",
      ranges: true,
      allowSuperOutsideMethod: true,
      // For import.meta, which is part of functions although no import statement is.
      allowImportExportEverywhere: true,
      // A method may use private names of a class that is not part of its text.
      checkPrivateFields: false,
    });
    return { program: program as unknown as ESTree.Program, shift };
  } catch (failure) {
    return { failure, shift };
  }
}

interface Picked {
  readonly node: ESTree.Function | ESTree.Class;
  readonly form: Form;
  readonly member: ESTree.Property | ESTree.MethodDefinition | null;
}

function pickExpression(node: ESTree.Expression): Picked | undefined {
  if (node.type === "ClassExpression") return { node, form: "class", member: null };
  if (node.type === "ArrowFunctionExpression") return { node, form: "expression", member: null };
  return node.type === "FunctionExpression" ? { node, form: "expression", member: null } : undefined;
}

function pickClass(node: ESTree.Expression): Picked | undefined {
  const statement = node.type === "FunctionExpression" ? node.body.body[0] : undefined;
  const klass = statement?.type === "ExpressionStatement" ? statement.expression : undefined;
  return klass?.type === "ClassExpression" ? { node: klass, form: "class", member: null } : undefined;
}

function pickProperty(node: ESTree.Expression): Picked | undefined {
  const member = node.type === "ObjectExpression" ? node.properties[0] : undefined;
  if (member?.type !== "Property" || member.value.type !== "FunctionExpression") return undefined;
  return { node: member.value, form: formOf(member.kind), member };
}

function pickMember(node: ESTree.Expression): Picked | undefined {
  const member = node.type === "ClassExpression" ? node.body.body[0] : undefined;
  if (member?.type !== "MethodDefinition") return undefined;
  return { node: member.value, form: formOf(member.kind), member };
}

function formOf(kind: string): Form {
  if (kind === "get") return "getter";
  return kind === "set" ? "setter" : "method";
}

interface ReadText {
  readonly source: string;
  readonly offset: number;
  readonly parsesStrict: boolean;
}

function describe(program: ESTree.Program, picked: Picked, text: ReadText): Analysis {
  const { node, form, member } = picked;
  const { source, offset, parsesStrict } = text;
  const scopes = load().scope.analyze(program, { ecmaVersion: 2025, sourceType: "script" });
  const free = new Map<string, boolean>();
  for (const reference of scopes.globalScope?.through ?? []) {
    const { name } = reference.identifier as ESTree.Identifier;
    free.set(name, (free.get(name) ?? false) || reference.isWrite());
  }
  const selfName = form === "expression" && "id" in node && node.id ? node.id.name : undefined;
  const naming = scopes.scopes.find(
    (scope) => scope.type === "function-expression-name" && scope.block === node,
  );
  const self = selfName === undefined ? undefined : naming?.set.get(selfName);
  const usesSelf = self !== undefined && self.references.length > 0;
  if (usesSelf)
    free.set(
      selfName as string,
      self.references.some((reference) => reference.isWrite()),
    );
  return {
    form: usesSelf ? "declaration" : form,
    node,
    member,
    offset,
    free,
    isArrow: node.type === "ArrowFunctionExpression",
    selfName: usesSelf ? selfName : undefined,
    hasStaticName: form === "class" && membersOf(node).some(isStaticName),
    sharesParameters: source.includes("arguments") && sharesParameters(scopes, node),
    parsesStrict,
    ...readUses(picked, source, offset),
  };
}

function sharesParameters({ scopes }: EslintScope.ScopeManager, node: Analysis["node"]): boolean {
  const own = scopes.find(({ type, block }) => type === "function" && block === node);
  return (own?.variables ?? []).some(
    ({ defs, references }) =>
      defs.some(({ type }) => type === "Parameter") &&
      references.some(({ from }) => from.variableScope !== own),
  );
}

function membersOf(node: ESTree.Function | ESTree.Class): ESTree.ClassBody["body"] {
  return node.body.type === "ClassBody" ? node.body.body : [];
}

function isStaticName(member: ESTree.ClassBody["body"][number]): boolean {
  return (
    member.type !== "StaticBlock" &&
    member.static &&
    !member.computed &&
    member.key.type === "Identifier" &&
    member.key.name === "name"
  );
}
