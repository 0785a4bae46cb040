import { shareRewrittenImport } from "./shared.ts";
import { type Analysis, analyse } from "./analyse.ts";
import { classCode } from "./classes.ts";
import { codeOf } from "./compile.ts";
import { handCaptures } from "./closure.ts";
import { fixedAround, type FoundByName, noteRead } from "./fixed.ts";
import { theInspector } from "./inspect.ts";
import { isGlobalName } from "./known.ts";
import { packagePart } from "./modules.ts";
import { functionParts, methodParts, textName } from "./function-parts.ts";
import { extrasOf } from "./extras.ts";
import { encodeProxy } from "./proxies.ts";
import { referenceTo } from "./reference-to.ts";
import {
  type Found,
  homeOf,
  isOwnName,
  isUninitialized,
  lexicalsOf,
  ownerOf,
  probedVariable,
  strictnessOf,
} from "./lexicals.ts";
import { placeOf } from "./places.ts";
import { type Surroundings, surroundingsOf, urlOf } from "./scopes.ts";
import type { CodePlace, FunctionCode } from "./units.ts";
import type { Walk } from "./walk.ts";
import type { FunctionNode, Node, Slot } from "./wire.ts";

/** A variable that a function takes from around it. */
export interface Capture {
  readonly name: string;
  readonly isWritten: boolean;
  readonly slot: Slot;
  /** Which of the scopes around the function holds it, counted from the outermost; 0 when none of them does. */
  readonly depth: number;
}

/** A function whose unit is decided when all functions of the graph are known. */
export interface Draft {
  readonly id: number;
  readonly fn: object;
  readonly captures: readonly Capture[];
  readonly around: Surroundings | undefined;
  readonly code: Omit<FunctionCode, "names">;
  readonly node: Omit<FunctionNode, "unit" | "scope" | "member" | "captures">;
  readonly place: CodePlace | undefined;
  /** The class whose private names an arrow function uses. */
  readonly owner: object | undefined;
}

/** The node of a function; undefined when it became a draft. */
export function encodeFunction(walk: Walk, fn: object, id: number): Node | undefined {
  return referenceTo(fn) ?? encodeSpecial(walk, fn) ?? draftFunction(walk, fn, id);
}

function encodeSpecial(walk: Walk, fn: object): Node | undefined {
  if (isProxy(fn)) return encodeProxy(walk, fn);
  if (isRequire(fn)) return ["require"];
  const text = Function.prototype.toString.call(fn);
  if (codeOf(fn) !== undefined || handCaptures(fn) !== undefined) return undefined;
  if (NATIVE.test(text.slice(-NATIVE_LENGTH))) return encodeBound(walk, fn);
  return text === PROMISIFIED ? encodePromisified(walk, fn) : undefined;
}

const NATIVE = /\{\s*\[native code\]\s*\}$/;
// A long text has many braces, and only its end is looked at.
const NATIVE_LENGTH = 40;

const { isProxy } = process.getBuiltinModule("node:util").types;
const PROMISIFIED = Function.prototype.toString.call(
  process.getBuiltinModule("node:util").promisify(() => undefined),
);

function isRequire(fn: object): boolean {
  const { cache, resolve } = fn as { cache?: unknown; resolve?: unknown };
  return typeof resolve === "function" && cache !== undefined && (fn as { name?: string }).name === "require";
}

function encodeBound(walk: Walk, fn: object): Node {
  const inspector = theInspector();
  const { named } = inspector.internals(fn);
  const target = inspector.take(named.get("[[TargetFunction]]"));
  const self = inspector.take(named.get("[[BoundThis]]"));
  const values = inspector.take(named.get("[[BoundArgs]]")) as readonly unknown[] | undefined;
  inspector.release();
  if (typeof target !== "function") {
    walk.refuse(
      `the native function ${nameOf(fn)} has no name by which a worker could find it`,
      "call it inside a function of your own",
    );
  }
  const slots = Array.from(values ?? [], (value, index) => walk.slot(value, `(bound argument ${index})`));
  const extras = extrasOf(walk, fn, Object.getPrototypeOf(target) as object);
  return ["bound", walk.slot(target, "(bound function)"), walk.slot(self, "(bound this)"), slots, extras];
}

function encodePromisified(walk: Walk, fn: object): Node | undefined {
  for (const { variables } of surroundingsOf(fn).scopes) {
    if (Object.hasOwn(variables, "original"))
      return ["promisified", walk.slot(variables["original"], "(promisified function)")];
  }
  return undefined;
}

function nameOf(fn: object): string {
  return (fn as { name?: string }).name || "(anonymous)";
}

function draftFunction(walk: Walk, fn: object, id: number): Node | undefined {
  const known = codeOf(fn);
  const source = known?.source ?? Function.prototype.toString.call(fn);
  const analysis = analysisOf(walk, source);
  refuseByText(walk, analysis);
  const names = [...analysis.free.keys()].filter((name) => !ALWAYS_GLOBAL.has(name));
  for (const name of names)
    if (RESERVED.test(name))
      walk.refuse(
        "names like this are used to make functions again",
        "call the variable differently",
        `captured "${name}"`,
      );
  const byHand = handCaptures(fn);
  const isClass = analysis.form === "class";
  const fixed = byHand === undefined ? fixedAround(fn) : undefined;
  const isRead = byHand === undefined && fixed === undefined && (names.length > 0 || isClass);
  const around = isRead ? surroundingsOf(fn) : fixed?.around;
  const url = around === undefined ? "" : urlOf(around);
  if (packagePart(fn, url) !== undefined) return referenceTo(fn);
  if (url.startsWith("node:")) refuseInternal(walk, fn, url);
  const captures = byHand
    ? namedByHand(walk, analysis, byHand)
    : capturesOf(walk, analysis, fixed?.found ?? findAll(walk, { fn, names, analysis, around }));
  const owner =
    analysis.isArrow && analysis.privateNames.length > 0 ? ownerOf(walk, fn, analysis, source) : undefined;
  const klass = isClass ? classCode(walk, fn, analysis, source) : undefined;
  const strict = known?.strict ?? strictnessOf(fn, analysis, around);
  const lexicals = byHand === undefined ? lexicalsOf(walk, fn, analysis) : {};
  const home = analysis.usesSuper && !isClass ? homeOf(walk, fn, analysis) : undefined;
  const name = textName(fn, analysis);
  walk.drafts.push({
    id,
    fn,
    captures,
    around,
    owner,
    place:
      known === undefined && around !== undefined && url !== ""
        ? placeOf(around, url, source, analysis)
        : undefined,
    code: {
      source,
      form: analysis.form,
      strict,
      ...methodParts(analysis),
      ...(name.given === undefined ? {} : { givenName: name.given }),
      ...(analysis.imports.length > 0 ? { imports: analysis.imports } : {}),
      ...(analysis.selfName === undefined ? {} : { declaredName: analysis.selfName }),
      ...(home === undefined ? {} : { usesSuper: true }),
      ...(analysis.imports.length > 0
        ? { metaUrl: known?.metaUrl ?? (url || urlOf(surroundingsOf(fn))) }
        : {}),
      ...(klass === undefined ? {} : { klass: klass.code }),
    },
    node: {
      ...functionParts(walk, fn, analysis, name.isKept),
      ...lexicals,
      ...(owner === undefined ? {} : { owner: walk.slot(owner, "(class)") }),
      ...(home === undefined ? {} : { home }),
      ...(klass === undefined ? {} : { klass: klass.part }),
    },
  });
  return undefined;
}

const RESERVED = /^(\$ks(_.*)?|imp0rt)$/;

function analysisOf(walk: Walk, source: string): Analysis {
  try {
    return analyse(source);
  } catch (cause) {
    if (/new\.target/.test((cause as Error).message)) refuseNewTarget(walk);
    return walk.refuse(
      `its text cannot be read as a function: ${(cause as Error).message}`,
      "write it as a plain function",
    );
  }
}

const ALWAYS_GLOBAL = new Set(["undefined", "NaN", "Infinity", "arguments"]);

function refuseByText(walk: Walk, analysis: Analysis): void {
  if (analysis.callsEval) {
    walk.refuse(
      "a function that calls eval directly may use any variable, so its captures cannot be known",
      "use (0, eval)(text), or pass what it needs as arguments",
    );
  }
  if (analysis.usesWith)
    walk.refuse(
      "inside a with statement names have no fixed meaning",
      "write the object's name before its properties",
    );
  if (analysis.isArrow && analysis.usesNewTarget) refuseNewTarget(walk);
  const [name] = analysis.form === "class" || analysis.isArrow ? [] : analysis.privateNames;
  if (name !== undefined) {
    walk.refuse(
      `it uses the private name #${name}, which only code inside of its class can`,
      "send the class or an instance of it, and call the method there",
    );
  }
}

function refuseNewTarget(walk: Walk): never {
  return walk.refuse(
    "an arrow function cannot bring along the new.target of the function around it",
    "keep new.target in a variable and use that",
  );
}

function refuseInternal(walk: Walk, fn: object, url: string): never {
  return walk.refuse(
    `${nameOf(fn)} is an inner function of ${url.replace(/^node:internal\//, "Node's ")}`,
    "call the builtin module's function inside of your own",
  );
}

/** Nothing around the function is read, so all that it needs has to be named. */
function namedByHand(walk: Walk, analysis: Analysis, values: Readonly<Record<string, unknown>>): Capture[] {
  const wayOut = "name it, or use a plain function that takes it as an argument";
  if (analysis.isArrow && (analysis.usesThis || analysis.usesArguments)) {
    walk.refuse(
      "closure() does not bring along this and arguments of the function around an arrow function",
      wayOut,
    );
  }
  if (analysis.usesSuper && analysis.form !== "class")
    walk.refuse("closure() does not bring along super", wayOut);
  const captures: Capture[] = [];
  for (const [name, isWritten] of analysis.free) {
    const label = `captured "${name}"`;
    if (Object.hasOwn(values, name))
      captures.push({ name, isWritten, slot: walk.slot(values[name], label), depth: 0 });
    else if (name === analysis.selfName) continue;
    else if (!isGlobalName(name))
      walk.refuse("closure() was not given it", `add ${name} to the values`, label);
  }
  return captures;
}

interface Wanted {
  readonly fn: object;
  readonly names: readonly string[];
  readonly analysis: Analysis;
  readonly around: Surroundings | undefined;
}

function capturesOf(walk: Walk, analysis: Analysis, found: FoundByName): Capture[] {
  const captures: Capture[] = [];
  for (const [name, variable] of found) {
    if (variable === undefined) continue;
    const { value, depth } = variable;
    const isWritten = analysis.free.get(name) === true;
    shareRewrittenImport(name, value);
    captures.push({ name, isWritten, slot: walk.slot(value, `captured "${name}"`), depth });
  }
  return captures;
}

function findAll(walk: Walk, wanted: Wanted): FoundByName {
  const found = new Map(wanted.names.map((name) => [name, lookUp(walk, wanted, name)]));
  const { fn, analysis, around } = wanted;
  if (around !== undefined) noteRead(fn, { analysis, around, found });
  return found;
}

function lookUp(walk: Walk, { fn, analysis, around }: Wanted, name: string): Found | undefined {
  const scopes = around?.scopes ?? [];
  for (const [index, scope] of scopes.entries()) {
    if (scope.kind === "global" || !Object.hasOwn(scope.variables, name)) continue;
    const value = readVariable(walk, { fn, around, variables: scope.variables, name });
    // The name of a function expression hides the variable, and no scope shows it.
    if (name === analysis.selfName && value !== fn && isOwnName(walk, fn, name))
      return { value: fn, depth: 0 };
    return { value, depth: scopes.length - index };
  }
  if (name === analysis.selfName) return { value: fn, depth: 0 };
  if (isGlobalName(name)) return undefined;
  const globals = scopes.at(-1)?.variables ?? globalThis;
  if (Object.hasOwn(globals, name)) return { value: Reflect.get(globals, name) as unknown, depth: 1 };
  return probedVariable(walk, fn, name, around);
}

interface Variable {
  readonly fn: object;
  readonly around: Surroundings | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly name: string;
}

function readVariable(walk: Walk, { fn, around, variables, name }: Variable): unknown {
  try {
    const value = variables[name];
    if (value !== undefined || around === undefined || !isUninitialized(fn, name, around)) return value;
  } catch {
    // Newer versions say so themselves.
  }
  return walk.refuse(
    "the variable has no value yet",
    "capture the function after the line that declares it has run",
    `captured "${name}"`,
  );
}
