import type * as EslintScope from "eslint-scope";
import type * as ESTree from "estree";
import { createRequire } from "node:module";
import type { Analysis } from "../source/analyse.ts";
import { parse } from "../source/homes.ts";
import { scriptSource } from "./inspect.ts";
import { staysGlobal } from "../resolve/known.ts";
import type { Found } from "./lexicals.ts";
import { reasonNotToProbe } from "./probe.ts";
import { type Scope, type Surroundings, surroundingsOf } from "./scopes.ts";

/** By the names that a function uses; undefined for those of the language and of Node. */
export type FoundByName = ReadonlyMap<string, Found | undefined>;

/** A function around which no variable that it uses can ever change. */
export interface Fixed {
  readonly around: Surroundings;
  readonly found: FoundByName;
}

/** Reading a function's variables so often takes longer than to have the text of its script. */
const FIRST_LOOK = 128;
/** Parsing so many characters of a script takes as long as to read variables once. */
const CHARACTERS_PER_READ = 100;

const fixed = new WeakMap<object, Fixed>();
const readCounts = new WeakMap<object, number>();

/** What was found around a function earlier, when that still holds. A debugger may set what a program cannot. */
export function fixedAround(fn: object): Fixed | undefined {
  const known = fixed.get(fn);
  return known === undefined || reasonNotToProbe() !== undefined ? undefined : known;
}

interface Read extends Fixed {
  readonly analysis: Analysis;
}

/**
 * Takes note that the variables of a function were read, and once that took longer than to read its script, looks there
 * whether anything can assign to them.
 */
export function noteRead(fn: object, read: Read): void {
  const count = (readCounts.get(fn) ?? 0) + 1;
  readCounts.set(fn, count);
  // At 128, 256, 512 and so on: each look asks for the script.
  if (count < FIRST_LOOK || (count & (count - 1)) !== 0 || reasonNotToProbe() !== undefined) return;
  try {
    if (!isFixed(fn, read, count * CHARACTERS_PER_READ)) return;
  } catch {
    // Then its variables are read as before.
    return;
  }
  const { around, found } = read;
  fixed.set(fn, { around: withoutValues(fn, around), found: new Map([...found].map(withoutDepth)) });
}

function isFixed(fn: object, { analysis, around, found }: Read, maxCharacters: number): boolean {
  // Some of their names are found elsewhere than in scopes.
  if (analysis.form === "class" || analysis.selfName !== undefined || analysis.privateNames.length > 0)
    return false;
  const text = scriptSource(around.scriptId);
  if (text.length > maxCharacters) return false;
  const names = unassignedNames(text, Function.prototype.toString.call(fn));
  return [...found].every(([name, variable]) =>
    variable === undefined ? staysGlobal(name) : names.has(name) && isInside(variable, around),
  );
}

/** Other scripts may assign to what is global. What reads as undefined may have no value yet. */
function isInside({ value, depth }: Found, { scopes }: Surroundings): boolean {
  const kind = scopes[scopes.length - depth]?.kind;
  return depth > 0 && value !== undefined && (kind === "inner" || kind === "module");
}

/** A variable that nothing assigns to is never one that several functions have to share. */
function withoutDepth([name, found]: [string, Found | undefined]): [string, Found | undefined] {
  return [name, found === undefined ? undefined : { value: found.value, depth: 0 }];
}

/** Values of other variables may change, and must not be kept. */
function withoutValues(fn: object, around: Surroundings): Surroundings {
  const scopes = around.scopes.map(({ kind }, index): Scope => ({
    kind,
    get variables() {
      return surroundingsOf(fn).scopes[index]?.variables ?? {};
    },
  }));
  return { ...around, scopes };
}

/** Names around a function to whose variables nothing in their script assigns once they have a value. */
function unassignedNames(text: string, source: string): ReadonlySet<string> {
  const at = text.indexOf(source);
  // The tree of a long script takes much memory, so it is not kept.
  const program = at < 0 || at !== text.lastIndexOf(source) ? undefined : parse(text, { ranges: true });
  const scopes = program === undefined ? [] : scopesOf(program);
  // Text that is evaluated may assign to anything around it.
  if (scopes.some(({ directCallToEvalScope, type }) => directCallToEvalScope || type === "with")) return NONE;
  const own = scopes.find(({ type, block }) => type === "function" && stands(block, at, at + source.length));
  const references = own?.through.filter(({ resolved }) => resolved !== null && isUnassigned(resolved)) ?? [];
  return new Set(references.map(({ identifier }) => (identifier as ESTree.Identifier).name));
}

const NONE: ReadonlySet<string> = new Set();

function scopesOf(program: ESTree.Program): readonly EslintScope.Scope[] {
  const { analyze } = createRequire(import.meta.url)("eslint-scope") as typeof EslintScope;
  const { sourceType } = program;
  return analyze(program, { ecmaVersion: 2025, sourceType }).scopes;
}

/** The tree of a method begins at its parameters. */
function stands(block: ESTree.Node, start: number, end: number): boolean {
  const [from = -1, to] = block.range ?? [];
  return to === end && from >= start;
}

function isUnassigned({ defs, references, scope }: EslintScope.Variable): boolean {
  const [definition] = defs;
  if (definition === undefined || defs.length > 1) return false;
  if (references.some((reference) => reference.isWrite() && reference.init !== true)) return false;
  switch (definition.type) {
    case "Variable":
      return definition.parent?.kind === "const" || definition.parent?.kind === "let";
    case "Parameter":
      // Under loose rules parameters are elements of `arguments` too.
      return scope.set.get("arguments")?.references.length === 0 || isArrow(scope.block);
    default:
      return definition.type === "FunctionName" || definition.type === "ClassName";
  }
}

function isArrow({ type }: ESTree.Node): boolean {
  return type === "ArrowFunctionExpression";
}
