import type { Debugger, Runtime } from "node:inspector";
import { analyse } from "../source/analyse.ts";
import { bodyOf, sourceOf } from "../source/class-text.ts";
import type { Construction } from "./construction.ts";
import { constructorIn, namesDeclaredIn } from "./constructors.ts";
import { theInspector } from "../scopes/inspect.ts";
import { methodsOf } from "../scopes/methods.ts";
import { isAt, locationOf, pauseIn, type Step, stepThrough } from "../scopes/probe.ts";
import { giving, takeGiven } from "../scopes/stand-in.ts";
import { construct, unfinished, withParent } from "./unfinished.ts";

/** What code inside of a class can do with its private names. */
export interface Access {
  readonly setFields: (target: object, values: readonly unknown[]) => void;
  readonly isComplete: (target: object) => boolean;
}

/** What a look into a class found; it holds for as long as the class. */
export interface Insides {
  access?: Access | undefined;
  /** Where the constructor is left: the fields are on, and nothing else has run. */
  exit?: Debugger.Location;
  /** Functions that were evaluated inside of the class, by their text. */
  readonly functions: Map<string, unknown>;
}

const known = new WeakMap<object, Insides>();

export function insidesOf(klass: object): Insides {
  const insides = known.get(klass) ?? { functions: new Map<string, unknown>() };
  known.set(klass, insides);
  return insides;
}

/**
 * Finds out what is missing. Looks only from methods and constructors: an evaluation in the initialisers of fields ends
 * the process in some versions of V8.
 */
export function lookInside(klass: object, construction: Construction): void {
  const insides = insidesOf(klass);
  const text = accessText(construction);
  if (!construction.hasConstructor) {
    insides.access ??= evaluateInside(klass, construction, { text, names: [] }) as Access | undefined;
    return;
  }
  stepThroughConstructor(klass, construction, (frame, areFieldsOn) => {
    insides.access ??= valueIn(frame, text) as Access;
    if (areFieldsOn) insides.exit = frame.location;
    return areFieldsOn || !construction.mustLeave ? "end" : "stepInto";
  });
}

/** The text of a function, and the names that it takes from around it. */
export interface InnerFunction {
  readonly text: string;
  readonly names: readonly string[];
}

/** Evaluates the text of a function inside of a class; undefined where nothing of it can be paused in. */
export function evaluateInside(
  klass: object,
  construction: Construction,
  { text, names }: InnerFunction,
): unknown {
  const { functions } = insidesOf(klass);
  if (functions.has(text)) return functions.get(text);
  const isFree = (hidden: readonly string[]): boolean => !hidden.some((name) => names.includes(name));
  let value: unknown;
  const take = (frame: Debugger.CallFrame): Step => {
    value = valueIn(frame, text);
    return "end";
  };
  const maker = constructorIn(bodyOf(analyse(sourceOf(klass))));
  const method = methodsOf(klass).find((one) => !one.isGenerator && isFree(one.names));
  if (method !== undefined) pauseIn(method.fn, take);
  else if (maker !== undefined && isFree(namesDeclaredIn(maker)))
    stepThroughConstructor(klass, construction, take);
  functions.set(text, value);
  return value;
}

/** `look` sees the frame of the constructor: when it begins, unless that is when its fields are on, and then. */
function stepThroughConstructor(
  klass: object,
  { isDerived }: Construction,
  look: (frame: Debugger.CallFrame, areFieldsOn: boolean) => Step,
): void {
  const start = locationOf(klass);
  let hasParent = !isDerived;
  const see = (frame: Debugger.CallFrame): Step => {
    if (isAt(frame, start)) return look(frame, hasParent);
    // V8 puts the initialisers of all fields of a class into a function of this name.
    return hasParent && frame.functionName === "<instance_members_initializer>" ? "stepOut" : "stepInto";
  };
  const step = (): void => stepThrough(() => construct(klass), see);
  const parent = (): object => {
    hasParent = true;
    return Object.create(unfinished) as object;
  };
  if (isDerived) withParent(klass, parent, step);
  else step();
}

function accessText({ privateFields, privateMethods }: Construction): string {
  const sets = privateFields.map((name, index) => `o.#${name}=v[${index}]`).join(";");
  const has = [...privateFields, ...privateMethods].map((name) => `#${name} in o`).join("&&");
  return `({setFields:(o,v)=>{${sets}},isComplete:(o)=>${has || "true"}})`;
}

function valueIn({ callFrameId }: Debugger.CallFrame, expression: string): unknown {
  const { exceptionDetails } = theInspector().post<Debugger.EvaluateOnCallFrameReturnType>(
    "Debugger.evaluateOnCallFrame",
    { callFrameId, expression: giving(expression), objectGroup: "kitchensink", silent: true },
  );
  if (exceptionDetails !== undefined) throw new Error(describe(exceptionDetails));
  return takeGiven();
}

function describe({ exception, text }: Runtime.ExceptionDetails): string {
  return exception?.description?.split("\n")[0] ?? text;
}
