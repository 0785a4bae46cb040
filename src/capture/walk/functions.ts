import { shareStandIn } from "../resolve/shared.ts";
import { type Analysis, analyse } from "../source/analyse.ts";
import { classCode } from "./classes.ts";
import { codeOf } from "../revive/compile.ts";
import { handCaptures } from "../closure.ts";
import { fixedAround, type FoundByName, noteRead } from "../scopes/fixed.ts";
import { theInspector } from "../scopes/inspect.ts";
import { isGlobalName } from "../resolve/known.ts";
import { packagePart } from "../resolve/modules.ts";
import { functionParts, methodParts, textName } from "./function-parts.ts";
import { extrasOf } from "./extras.ts";
import { encodeProxy } from "./proxies.ts";
import { referenceTo } from "../resolve/reference-to.ts";
import {
  constantName,
  type Found,
  homeOf,
  isOwnName,
  isUninitialized,
  lexicalsOf,
  ownerOf,
  probedVariable,
  strictnessOf,
} from "../scopes/lexicals.ts";
import { placeOf } from "../source/places.ts";
import { type Surroundings, surroundingsOf, urlOf } from "../scopes/scopes.ts";
import { originalSource } from "../source/original-source.ts";
import { reasonAgainst, type SourceModule } from "../modules/source-modules.ts";
import type { CodePlace, FunctionCode } from "../wire/units.ts";
import type { Walk } from "./walk.ts";
import type { FunctionNode, Node, Slot } from "../wire/wire.ts";

/** A variable that a function takes from around it. */
export interface Capture {
  readonly name: string;
  readonly isWritten: boolean;
  readonly slot: Slot;
  /** Which of the scopes around the function holds it, counted from the outermost; 0 when none of them does. */
  readonly depth: number;
  /** A function of the module whose variable it is, when it is an import that has to follow it. */
  readonly importedFrom?: Draft;
}

/** A function whose unit is decided when all functions of the graph are known. */
export interface Draft {
  readonly id: number;
  readonly fn: object;
  readonly captures: Capture[];
  readonly around: Surroundings | undefined;
  readonly code: Omit<FunctionCode, "names">;
  readonly node: Omit<FunctionNode, "unit" | "scope" | "member" | "captures">;
  readonly place: CodePlace | undefined;
  /** The class whose private names a function uses that is not one of its members. */
  readonly owner: object | undefined;
  /** The module which goes as source that the function was written in. */
  readonly home: SourceModule | undefined;
  /** Its text means what it does only at the top level of that module. */
  readonly isInModule: boolean;
}

/** The node of a function; undefined when it became a draft. */
export function encodeFunction(walk: Walk, fn: object, id: number): Node | undefined {
  return referenceTo(fn) ?? walk.sourceNode(fn) ?? encodeSpecial(walk, fn) ?? draftFunction(walk, fn, id);
}

function encodeSpecial(walk: Walk, fn: object): Node | undefined {
  if (isProxy(fn)) return encodeProxy(walk, fn);
  if (isRequire(fn)) return ["require"];
  if ("_isMockFunction" in fn)
    walk.refuse(
      "a mock function records its calls in this process",
      "send a plain function, and mock what is here",
    );
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

/**
 * By what it has: Jest's is called otherwise, and the one that Node gives to what it imports has no cache. Looked at
 * without reading inherited properties or accessors, which would run code of the user's.
 */
function isRequire(fn: object): boolean {
  const resolve = ownValue(fn, "resolve");
  if (typeof resolve !== "function" || isProxy(resolve) || ownValue(fn, "length") !== 1) return false;
  if (ownValue(fn, "name") === "require" && Object.hasOwn(fn, "main")) return true;
  return ownValue(resolve, "paths") !== undefined && typeof ownValue(fn, "cache") === "object";
}

function ownValue(object: object, key: string): unknown {
  return Reflect.getOwnPropertyDescriptor(object, key)?.value as unknown;
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
  const home = walk.homeOf(fn);
  const text = Function.prototype.toString.call(fn);
  const source = known?.source ?? (home?.module.came === undefined ? text : originalSource(text));
  const analysis = analysisOf(walk, source);
  refuseByText(walk, analysis);
  const byHand = handCaptures(fn);
  let names = [...analysis.free.keys()].filter((name) => !ALWAYS_GLOBAL.has(name));
  for (const name of names)
    if (RESERVED.test(name))
      walk.refuse(
        "names like this are used to make functions again",
        "call the variable differently",
        `captured "${name}"`,
      );
  const isClass = analysis.form === "class";
  // What belongs to a module that goes as source is told by the module's own variables.
  const fixed = byHand === undefined && walk.sources === undefined ? fixedAround(fn) : undefined;
  const isRead = byHand === undefined && fixed === undefined && (names.length > 0 || isClass);
  const around = isRead ? (walk.sources?.around(fn) ?? surroundingsOf(fn)) : fixed?.around;
  const ownName = constantName(walk, fn, analysis, around);
  names = names.filter((name) => name !== ownName);
  const url = around === undefined ? "" : urlOf(around);
  if (packagePart(fn, url) !== undefined) return referenceTo(fn);
  if (url.startsWith("node:")) refuseInternal(walk, fn, url);
  if (walk.sources?.isAll === true && around !== undefined) refuseRewritten(walk, around);
  const ofModule = names.filter((name) => home?.has(name) === true);
  const wanted = { fn, names: names.filter((name) => !ofModule.includes(name)), analysis, around };
  const captures = byHand
    ? namedByHand(walk, analysis, byHand)
    : capturesOf(walk, { analysis, around, found: fixed?.found ?? findAll(walk, wanted) });
  const owner =
    isClass || analysis.privateNames.length === 0 ? undefined : ownerOf(walk, fn, analysis, source);
  const klass = isClass ? classCode(walk, fn, analysis, source) : undefined;
  const strict = known?.strict ?? strictnessOf(fn, analysis, around);
  const lexicals = byHand === undefined ? lexicalsOf(walk, fn, analysis) : {};
  const superHome = analysis.usesSuper && !isClass ? homeOf(walk, fn, analysis) : undefined;
  const name = textName(fn, analysis);
  walk.drafts.push({
    id,
    fn,
    captures,
    around,
    owner,
    home: home?.module,
    isInModule:
      byHand === undefined && (ofModule.length > 0 || (home !== undefined && analysis.imports.length > 0)),
    place:
      known === undefined && around !== undefined && url !== ""
        ? placeOf(around, url, source, analysis)
        : undefined,
    code: {
      source,
      form: ownName === undefined ? analysis.form : "expression",
      strict,
      ...methodParts(analysis),
      ...(name.given === undefined ? {} : { givenName: name.given }),
      ...(analysis.imports.length > 0 ? { imports: analysis.imports } : {}),
      ...(analysis.selfName === undefined || ownName !== undefined
        ? {}
        : { declaredName: analysis.selfName }),
      ...(superHome === undefined ? {} : { usesSuper: true }),
      ...(analysis.imports.length > 0
        ? { metaUrl: known?.metaUrl ?? (url || urlOf(surroundingsOf(fn))) }
        : {}),
      ...(klass === undefined ? {} : { klass: klass.code }),
    },
    node: {
      ...functionParts(walk, fn, analysis, name.isKept),
      ...lexicals,
      ...(owner === undefined ? {} : { owner: walk.slot(owner, "(class)") }),
      ...(superHome === undefined ? {} : { home: superHome }),
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
}

function refuseNewTarget(walk: Walk): never {
  return walk.refuse(
    "an arrow function cannot bring along the new.target of the function around it",
    "keep new.target in a variable and use that",
  );
}

function refuseRewritten(walk: Walk, { scriptId }: Surroundings): void {
  const reason = reasonAgainst(scriptId);
  if (reason !== undefined) walk.refuse(reason, 'leave out modules: "source" there');
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

interface Taken {
  readonly analysis: Analysis;
  readonly around: Surroundings | undefined;
  readonly found: FoundByName;
}

function capturesOf(walk: Walk, { analysis, around, found }: Taken): Capture[] {
  const captures: Capture[] = [];
  for (const [name, variable] of found) {
    if (variable === undefined) continue;
    const { value, depth } = variable;
    const isWritten = analysis.free.get(name) === true;
    shareStandIn(name, value);
    const imported = isImport(around, variable)
      ? walk.importedSlot(around?.scriptId ?? "", name, value)
      : undefined;
    captures.push({ name, isWritten, slot: imported ?? walk.slot(value, `captured "${name}"`), depth });
  }
  return captures;
}

/** Only variables of a module can be imported ones. */
function isImport(around: Surroundings | undefined, { depth }: Found): boolean {
  return around?.scopes[around.scopes.length - depth]?.kind === "module";
}

function findAll(walk: Walk, wanted: Wanted): FoundByName {
  const found = new Map(wanted.names.map((name) => [name, lookUp(walk, wanted, name)]));
  const { fn, analysis, around } = wanted;
  if (around !== undefined && walk.sources === undefined) noteRead(fn, { analysis, around, found });
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
