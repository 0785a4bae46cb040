import { COMPUTED_NAME, EMBEDDED_MARK, type FunctionCode, type ScopeShape } from "../wire/units.ts";

export interface CodeText {
  readonly text: string;
  /** Characters before the source of the function on its first line. */
  readonly lead: number;
  /** Where the source of each function begins, those of a scope before those of the scopes within it. */
  readonly starts: readonly number[];
}

// In parentheses V8 compiles a function at once, instead of looking it through first and compiling it when it is called.
const HEAD = "(function($ks,imp0rt){return(";
const TAIL = ")})";

/** The program that makes the functions of a unit: functions inside functions, as they stood where they were written. */
export function codeText(shape: ScopeShape, isSingle: boolean): CodeText {
  const starts: number[] = [];
  const only = shape.members[0];
  const body =
    isSingle && only !== undefined
      ? memberText(only, HEAD.length, starts)
      : scopeText(shape, HEAD.length, starts);
  return { text: HEAD + body + TAIL, lead: isSingle ? (starts[0] ?? 0) : 0, starts };
}

/** The sources of a unit's functions, in the order of {@link CodeText.starts}. */
export function sourcesOf({ members, children }: ScopeShape): string[] {
  return [...members.map(({ source }) => source), ...children.flatMap(sourcesOf)];
}

/** Where in a text a place is that counts from 1, as stacks do. */
export function offsetOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let skipped = 1; skipped < line; skipped++) at = text.indexOf("\n", at) + 1;
  return at + column - 1;
}

function scopeText({ names, members, children }: ScopeShape, at: number, starts: number[]): string {
  let text = `function(){let ${names.join(",")};return[${assignment(names)},[`;
  for (const member of members) text += `${memberText(member, at + text.length, starts)},`;
  text += "],[";
  for (const child of children) text += `${scopeText(child, at + text.length, starts)},`;
  return `${text}]]}`;
}

/** A function that sets variables to the values of an array. */
function assignment(names: readonly string[]): string {
  if (names.length === 0) return "null";
  // In parentheses, because it is called at once. So are the variables: V8 would name the unnamed function before it
  // after the first one that is set here.
  return `(function($ks_v){${names.map((name, index) => `(${name})=$ks_v[${index}]`).join(";")}})`;
}

function memberText(code: FunctionCode, at: number, starts: number[]): string {
  const { names, strict, declaredName, usesSuper } = code;
  const locals = names.filter((name) => name !== declaredName);
  const declared = locals.length === 0 ? "" : `let ${locals.join(",")};`;
  const [before, after] = surround(code, assignment(names));
  // An arrow function has the super of the method around it, so it gets a method around it.
  const isArrowInMethod = usesSuper === true && code.form === "expression";
  const open = isArrowInMethod ? "const $ks_h={m(){" : "";
  const close = isArrowInMethod ? "}};return $ks_h.m.apply(this,arguments)" : "";
  const prefix = `function(){${strict ? `"use strict";` : ""}${open}${declared}${before}`;
  starts.push(at + prefix.length);
  return `${prefix}${sourceText(code)}${after}${close}}`;
}

/** What stands around the source so that it is evaluated as what it was. */
function surround(
  { form, givenName, declaredName, methodName, usesSuper }: FunctionCode,
  put: string,
): readonly [string, string] {
  const home = usesSuper === true ? ",$ks_h" : "";
  switch (form) {
    case "declaration":
      return ["", `\n;return[${declaredName},${put}]`];
    case "method":
    case "getter":
    case "setter":
      return ["const $ks_h={", `};return[${part(form, methodName ?? COMPUTED_NAME)},${put},$ks_h]`];
    default: {
      if (givenName === undefined) return ["return[(", `),${put}${home}]`];
      const key = JSON.stringify(givenName);
      return [`return[({${key}:`, `})[${key}],${put}${home}]`];
    }
  }
}

function part(form: "method" | "getter" | "setter", name: string): string {
  // Not by the name of Object, which may be a variable of the user's there.
  const descriptor = `$ks.descriptor($ks_h,${JSON.stringify(name)})`;
  return `${descriptor}.${form === "method" ? "value" : form === "getter" ? "get" : "set"}`;
}

function sourceText({ source, imports = [], computedName, klass }: FunctionCode): string {
  const edits = (klass?.edits ?? []).map((edit) => withEmbedded(edit, klass?.embedded));
  // Of equal length, so that columns stay.
  for (const at of imports) edits.push([at, at + "import".length, "imp0rt"]);
  if (computedName !== undefined) edits.push([...computedName, JSON.stringify(COMPUTED_NAME)]);
  return applyEdits(source, edits);
}

export type Edit = readonly [start: number, end: number, text: string];

/** The mark is looked for in what capture put into the text, for the text itself may hold anything. */
function withEmbedded([start, end, text]: Edit, embedded: readonly FunctionCode[] = []): Edit {
  const list = (): string => `[${embedded.map((one) => memberText(one, 0, [])).join(",")}]`;
  return [start, end, text.replace(EMBEDDED_MARK, list)];
}

export function applyEdits(source: string, edits: readonly Edit[]): string {
  let text = "";
  let at = 0;
  for (const [start, end, replacement] of edits.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    // Within a range that another edit replaced.
    if (start < at) continue;
    text += source.slice(at, start) + replacement;
    at = end;
  }
  return text + source.slice(at);
}
