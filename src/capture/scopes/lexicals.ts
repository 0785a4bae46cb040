import type { Analysis } from "../source/analyse.ts";
import { newMark, PausedVariable, type VariablePlace } from "./paused-variable.ts";
import { type Answer, evaluate, pauseIn, probe, reasonNotToProbe } from "./probe.ts";
import { codeOf } from "../revive/compile.ts";
import { findHome, isNamedAround, isStrictAt } from "../source/homes.ts";
import { type Surroundings, surroundingsOf } from "./scopes.ts";
import type { Walk } from "../walk/walk.ts";
import type { FunctionNode, Slot } from "../wire/wire.ts";

/** What `this`, `arguments` and hidden names mean inside a function never changes, so it is found once. */
const answered = new WeakMap<object, Map<string, Answer>>();

const NO_INSPECTOR =
  "close the debugger, keep the value in a variable, or name it with closure(fn, { name: value })";

function ask(walk: Walk, fn: object, expression: string, what: string): Answer {
  const known = answered.get(fn)?.get(expression);
  if (known !== undefined) return known;
  const reason = reasonNotToProbe();
  if (reason !== undefined)
    walk.refuse(`it uses ${what}, which cannot be read while ${reason}`, NO_INSPECTOR);
  const answer = probed(walk, fn, expression, what);
  if (answer === undefined)
    walk.refuse(
      `it uses ${what}, which cannot be read for this kind of function`,
      "keep the value in a variable and use that",
    );
  const answers = answered.get(fn) ?? new Map<string, Answer>();
  answered.set(fn, answers.set(expression, answer));
  return answer;
}

function probed(walk: Walk, fn: object, expression: string, what: string): Answer | undefined {
  try {
    return probe(fn, [expression])?.get(expression);
  } catch (cause) {
    return walk.refuse(`it uses ${what}, which cannot be read: ${(cause as Error).message}`, NO_INSPECTOR);
  }
}

/** `this` and `arguments` that an arrow function has from the function around it. */
export function lexicalsOf(
  walk: Walk,
  fn: object,
  analysis: Analysis,
): Pick<FunctionNode, "lexicalThis" | "lexicalArguments"> {
  if (!analysis.isArrow) return {};
  const needsThis = analysis.usesThis || analysis.usesSuper;
  const self = needsThis ? ask(walk, fn, "this", "this of the function around it") : undefined;
  const values = analysis.usesArguments
    ? ask(walk, fn, "arguments", "arguments of the function around it")
    : undefined;
  if (self !== undefined && "error" in self)
    walk.refuse("its this has no value yet", "capture it after super() was called");
  return {
    ...(self === undefined ? {} : { lexicalThis: walk.slot(self.value, "this") }),
    ...(values === undefined || "error" in values
      ? {}
      : { lexicalArguments: walk.slot(values.value, "arguments") }),
  };
}

/** A name that no scope shows: that of a function expression, or one that does not exist. */
export function probedVariable(
  walk: Walk,
  fn: object,
  name: string,
  around: Surroundings | undefined,
): Found | undefined {
  if (!isProbeable(fn) || (around !== undefined && !isNamedAround(around, name))) return undefined;
  const reason = reasonNotToProbe();
  if (reason !== undefined && answered.get(fn)?.has(name) !== true) {
    walk.refuse(`the name "${name}" belongs to no variable that can be read while ${reason}`, NO_INSPECTOR);
  }
  const answer = ask(walk, fn, name, `the name "${name}"`);
  return "error" in answer ? undefined : { value: answer.value, depth: 0 };
}

/** The value of a variable, and the depth of the scope that holds it; 0 when none of them does. */
export interface Found {
  readonly value: unknown;
  readonly depth: number;
}

const namesItself = new WeakMap<object, boolean>();

/**
 * Whether the own name of a function means the function inside of it. That of an expression does; that of a
 * declaration is a variable, which may hold something else by now.
 */
export function isOwnName(walk: Walk, fn: object, name: string): boolean {
  const known = namesItself.get(fn);
  if (known !== undefined) return known;
  const reason = reasonNotToProbe();
  const what = `its own name "${name}"`;
  if (reason !== undefined)
    walk.refuse(`it uses ${what}, which cannot be read while ${reason}`, NO_INSPECTOR);
  const answer = probed(walk, fn, name, what);
  if (answer === undefined || "error" in answer)
    walk.refuse(
      `it uses ${what}, which cannot be read for this kind of function`,
      "call it differently than the variable that holds it",
    );
  namesItself.set(fn, answer.value === fn);
  return answer.value === fn;
}

/**
 * The own name of a function expression that assigns to it, which is in vain: in a declaration, which is what an
 * expression that refers to itself is made again as, the name would take the new value.
 */
export function constantName(
  walk: Walk,
  fn: object,
  { selfName, free }: Analysis,
  around: Surroundings | undefined,
): string | undefined {
  if (selfName === undefined || free.get(selfName) !== true || around === undefined) return undefined;
  const { scopes } = around;
  const index = scopes.findIndex(({ variables }) => Object.hasOwn(variables, selfName));
  const scope = scopes[index];
  if (scope === undefined) return selfName;
  if (scope.kind === "global") return undefined;
  const isOwn =
    scope.variables[selfName] === fn
      ? !namesVariable(walk, fn, { name: selfName, depth: scopes.length - index })
      : isOwnName(walk, fn, selfName);
  return isOwn ? selfName : undefined;
}

/** Whether the name means the variable inside of the function, found by letting the variable hold a mark. */
function namesVariable(walk: Walk, fn: object, place: VariablePlace): boolean {
  const reason = reasonNotToProbe();
  if (reason !== undefined)
    walk.refuse(`what its own name "${place.name}" means cannot be told while ${reason}`, NO_INSPECTOR);
  let isNamed: boolean | undefined;
  pauseIn(fn, (frame) => {
    const mark = newMark();
    PausedVariable.find(frame, place)?.holding(mark, () => {
      const answer = evaluate(fn, frame, place.name);
      isNamed = "value" in answer && answer.value === mark;
    });
  });
  return isNamed ?? true;
}

const [MAJOR = 0] = process.versions.node.split(".").map(Number);
const initialized = new Set<string>();
const KEPT = 10_000;

/**
 * Before Node 22 a variable without a value yet reads as undefined, so such a value is looked at again, once for each
 * place in the code.
 */
export function isUninitialized(fn: object, name: string, { scriptId, line, column }: Surroundings): boolean {
  const place = `${scriptId}:${line}:${column}:${name}`;
  if (MAJOR >= 22 || initialized.has(place) || !isProbeable(fn) || reasonNotToProbe() !== undefined)
    return false;
  const answer = probe(fn, [name])?.get(name);
  if (answer === undefined) return false;
  if ("value" in answer && initialized.size < KEPT) initialized.add(place);
  return "error" in answer && answer.error.startsWith("ReferenceError");
}

/** Classes cannot be called, so nothing inside of them can be asked. */
function isProbeable(fn: object): boolean {
  return !Function.prototype.toString.call(fn).startsWith("class");
}

/** Whether a function runs under strict rules; where it cannot matter, the answer is the safer one. */
export function strictnessOf(fn: object, analysis: Analysis, known: Surroundings | undefined): boolean {
  if (!analysis.parsesStrict) return false;
  if (analysis.form === "class") return true;
  if (Object.hasOwn(fn, "arguments")) return false;
  if (isOrdinary(analysis) || !matters(analysis)) return true;
  const around = known ?? surroundingsOf(fn);
  return around.scopes.some(({ kind }) => kind === "module") || isStrictAt(around);
}

/** Only ordinary functions show their rules: those under loose ones have properties of their own. */
function isOrdinary({ node, form, isArrow }: Analysis): boolean {
  if (isArrow || (form !== "expression" && form !== "declaration") || !("params" in node)) return false;
  return node.async !== true && node.generator !== true;
}

function matters({ dependsOnStrictness, free }: Analysis): boolean {
  return dependsOnStrictness || [...free.values()].includes(true);
}

/** The object behind the one that a function's `super` belongs to. */
export function homeOf(walk: Walk, fn: object, { isArrow }: Analysis): Slot {
  const starts = isArrow ? thisOf(walk, fn) : walk.ownersOf(fn);
  const home = findHome(fn, starts.flatMap(chainOf));
  if (home !== undefined) return walk.slot(Object.getPrototypeOf(home), "(super)");
  return walk.refuse(
    "it uses super, and the object or class that it belongs to is not part of what is sent",
    "send that object or class, and call the method there",
  );
}

/**
 * The class in whose text a function with private names was written: that of an arrow function is found by way of its
 * `this`; a method that a decorator put something else in place of, among the classes of the graph.
 */
export function ownerOf(walk: Walk, fn: object, analysis: Analysis, source: string): object {
  const { isArrow, privateNames } = analysis;
  const owners = isArrow ? thisOf(walk, fn).flatMap(chainOf).flatMap(classOf) : [...walk.classes.keys()];
  const fitting = [...new Set(owners)].filter((klass) => {
    const text = codeOf(klass)?.source ?? Function.prototype.toString.call(klass);
    return text.includes(source) && privateNames.every((name) => text.includes(`#${name}`));
  });
  const [owner] = fitting;
  if (owner !== undefined && fitting.length === 1) return owner;
  if (!isArrow)
    walk.refuse(
      `it uses the private name #${privateNames[0]}, which only code inside of its class can`,
      "send the class or an instance of it, and call the method there",
    );
  return walk.refuse(
    `it uses the private name #${privateNames[0]}, and the class that has it cannot be told`,
    "send the class or an instance of it, and call a method there",
  );
}

function classOf(value: object): object[] {
  const maker = Reflect.getOwnPropertyDescriptor(value, "constructor")?.value as unknown;
  const found = typeof value === "function" ? [value] : [];
  return typeof maker === "function" && maker.prototype === value ? [...found, maker] : found;
}

function thisOf(walk: Walk, fn: object): object[] {
  const answer = ask(walk, fn, "this", "super");
  return "value" in answer && isObject(answer.value) ? [answer.value] : [];
}

function chainOf(start: object): object[] {
  const chain: object[] = [];
  for (let at: unknown = start; isObject(at); at = Object.getPrototypeOf(at)) chain.push(at);
  return chain;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
