import type { Debugger, InspectorNotification, Runtime } from "node:inspector";
import { types } from "node:util";
import { absorbingArguments } from "./absorbing.ts";
import { theInspector } from "./inspect.ts";

export type Answer = { readonly value: unknown } | { readonly error: string };

/** Why the function at hand cannot be paused; undefined when it can. */
export function reasonNotToProbe(): string | undefined {
  const attached = process.getBuiltinModule("node:inspector").url();
  return attached === undefined ? undefined : "a debugger is attached to this process";
}

/** What expressions mean inside of `fn`, found without running a line of it; undefined when it did not pause. */
export function probe(fn: object, expressions: readonly string[]): ReadonlyMap<string, Answer> | undefined {
  let answers: Map<string, Answer> | undefined;
  pauseIn(fn, (frame) => {
    answers = new Map(expressions.map((expression) => [expression, evaluate(fn, frame, expression)]));
  });
  return answers;
}

const MAX_STEPS = 50;

/**
 * Calls `look` in the moment in which `fn` was called and has not begun, then ends the call. A breakpoint would not do:
 * it may be put into the default of a parameter that is not used, and the function would run. So the call is stepped
 * into. For a class, a method of it stands in, which sees what is around the class. Deadly while another debugger is attached: see {@link reasonNotToProbe}.
 */
export function pauseIn(asked: object, look: (frame: Debugger.CallFrame) => void): void {
  const fn = callablePartOf(asked);
  const inspector = theInspector();
  const { session } = inspector;
  const target = locationOf(fn);
  const start = locationOf(callAbsorbed);
  let failure: unknown;
  let steps = 0;
  const call = { pauses: 0 };
  const onPaused = ({ params }: InspectorNotification<Debugger.PausedEventDataType>): void => {
    const [frame] = params.callFrames;
    call.pauses++;
    if (!isAt(frame, target)) {
      const goesOn = steps++ < MAX_STEPS && params.callFrames.some((caller) => isAt(caller, start));
      session.post(goesOn ? "Debugger.stepInto" : "Debugger.resume", () => undefined);
      return;
    }
    try {
      if (frame !== undefined) look(frame);
    } catch (error) {
      failure = error;
    }
    session.post("Runtime.terminateExecution", () => undefined);
    session.post("Debugger.resume", () => undefined);
  };
  session.on("Debugger.paused", onPaused);
  try {
    inspector.debugging(() => inspector.evaluateCall(() => callAbsorbed(fn, call)));
  } finally {
    session.off("Debugger.paused", onPaused);
    inspector.release();
  }
  if (failure !== undefined) throw failure;
}

/** A class cannot be called, but what was written in it has the same scopes around it. */
function callablePartOf(fn: object): object {
  const text = Function.prototype.toString.call(fn);
  const prototype = Reflect.getOwnPropertyDescriptor(fn, "prototype")?.value as unknown;
  if (!/^class\b/.test(text) || typeof prototype !== "object" || prototype === null) return fn;
  const holders = [prototype, fn].flatMap((holder) =>
    Object.values(Object.getOwnPropertyDescriptors(holder)),
  );
  const parts = holders.flatMap(({ value, get, set }) => [value as unknown, get, set]);
  const found = parts.find(
    (part) =>
      typeof part === "function" && part !== fn && text.includes(Function.prototype.toString.call(part)),
  );
  return typeof found === "function" ? found : fn;
}

function locationOf(fn: object): Debugger.Location | undefined {
  const inspector = theInspector();
  const { named } = inspector.internals(fn);
  inspector.release();
  return named.get("[[FunctionLocation]]")?.value as Debugger.Location | undefined;
}

function isAt(frame: Debugger.CallFrame | undefined, target: Debugger.Location | undefined): boolean {
  const location = frame?.functionLocation;
  if (location === undefined || target === undefined || location.scriptId !== target.scriptId) return false;
  return location.lineNumber === target.lineNumber && location.columnNumber === target.columnNumber;
}

/** As few statements as can be, for each is a step. */
function callAbsorbed(fn: object, call: { readonly pauses: number }): unknown {
  const values = absorbingArguments(fn);
  // oxlint-disable-next-line no-debugger -- this is where stepping begins
  debugger;
  // Where nothing paused, the function would run.
  return call.pauses === 0 ? undefined : begin(Reflect.apply(fn as () => unknown, undefined, values), call);
}

/** The pauses before it: at the statement where stepping begins, at the next one, and in {@link begin} itself. */
const PAUSES_BEFORE_BEGIN = 3;

/** A generator runs only when it is asked for a value. Stepping has to go on until then, or it would run on. */
function begin(made: unknown, call: { readonly pauses: number }): unknown {
  return call.pauses >= PAUSES_BEFORE_BEGIN && types.isGeneratorObject(made) ? made.next() : made;
}

/** What an expression means in a frame of a call of `fn`. */
export function evaluate(fn: object, frame: Debugger.CallFrame, expression: string): Answer {
  const inspector = theInspector();
  const { result, exceptionDetails } = inspector.post<Debugger.EvaluateOnCallFrameReturnType>(
    "Debugger.evaluateOnCallFrame",
    {
      callFrameId: frame.callFrameId,
      expression,
      objectGroup: "kitchensink",
      silent: true,
      throwOnSideEffect: true,
    },
  );
  if (exceptionDetails !== undefined) return { error: describe(exceptionDetails) };
  return { value: inspector.takeNear(fn, result) };
}

function describe({ exception, text }: Runtime.ExceptionDetails): string {
  return exception?.description?.split("\n")[0] ?? text;
}
