import type { Debugger, InspectorNotification, Runtime } from "node:inspector";
import { types } from "node:util";
import { isClassFunction } from "../source/class-text.ts";
import { theInspector } from "./inspect.ts";
import { methodsOf } from "./methods.ts";
import { standIns } from "./stand-in.ts";

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

const MAX_STEPS = 200;

/** What to do after a pause; "end" ends the call that is stepped through. */
export type Step = "stepInto" | "stepOut" | "end";

/**
 * Calls `look` in the moment in which `fn` was called and has not begun, then ends the call. A breakpoint would not do:
 * it may be put into the default of a parameter that is not used, and the function would run. So the call is stepped
 * into. For a class, a method of it stands in, which sees what is around the class.
 */
export function pauseIn(asked: object, look: (frame: Debugger.CallFrame) => void): void {
  const fn = isClassFunction(asked) ? (methodsOf(asked)[0]?.fn ?? asked) : asked;
  const target = locationOf(fn);
  const stepping = { pauses: 0 };
  const call = (): unknown =>
    begin(Reflect.apply(fn as () => unknown, undefined, standIns), stepping, stepping.pauses);
  stepThrough(call, (frame) => {
    stepping.pauses++;
    if (!isAt(frame, target)) return "stepInto";
    look(frame);
    return "end";
  });
}

/** A generator runs only when it is asked for a value. Stepping has to go on until then, or it would run on. */
function begin(made: unknown, { pauses }: { readonly pauses: number }, before: number): unknown {
  return pauses > before && types.isGeneratorObject(made) ? made.next() : made;
}

/**
 * Steps through `call`, which should have few statements, for each is a step. `decide` sees where it pauses and says how
 * to go on. Deadly while another debugger is attached: see {@link reasonNotToProbe}.
 */
export function stepThrough(call: () => unknown, decide: (frame: Debugger.CallFrame) => Step): void {
  const inspector = theInspector();
  const { session } = inspector;
  const start = locationOf(beginWatched);
  let failure: unknown;
  let steps = 0;
  const watch = { isWatched: false };
  const next = (frames: readonly Debugger.CallFrame[]): Step | "resume" => {
    const [frame] = frames;
    // What returned without a pause is over; then all that is left is to let the call end.
    if (frame === undefined || !frames.some((caller) => isAt(caller, start))) return "resume";
    if (steps++ >= MAX_STEPS) return "end";
    try {
      return isAt(frame, start) ? "stepInto" : decide(frame);
    } catch (error) {
      failure = error;
      return "end";
    }
  };
  const onPaused = ({ params }: InspectorNotification<Debugger.PausedEventDataType>): void => {
    watch.isWatched = true;
    const step = next(params.callFrames);
    if (step === "end") session.post("Runtime.terminateExecution", () => undefined);
    session.post(`Debugger.${step === "end" ? "resume" : step}`, () => undefined);
  };
  session.on("Debugger.paused", onPaused);
  try {
    inspector.debugging(() => inspector.evaluateCall(() => beginWatched(call, watch)));
  } finally {
    session.off("Debugger.paused", onPaused);
    inspector.release();
  }
  if (failure !== undefined) throw failure;
}

/** Where V8 says that a function, or the constructor of a class, begins. */
export function locationOf(fn: object): Debugger.Location | undefined {
  const inspector = theInspector();
  const { named } = inspector.internals(fn);
  inspector.release();
  return named.get("[[FunctionLocation]]")?.value as Debugger.Location | undefined;
}

/** Whether a frame is that of the function which begins at `target`. */
export function isAt(frame: Debugger.CallFrame, target: Debugger.Location | undefined): boolean {
  const location = frame.functionLocation;
  if (location === undefined || target === undefined || location.scriptId !== target.scriptId) return false;
  return location.lineNumber === target.lineNumber && location.columnNumber === target.columnNumber;
}

function beginWatched(call: () => unknown, watch: { readonly isWatched: boolean }): unknown {
  // oxlint-disable-next-line no-debugger -- this is where stepping begins
  debugger;
  // Where nothing paused, the function would run.
  return watch.isWatched ? call() : undefined;
}

/** What an expression means in a frame of a call of `fn`, when evaluating it changes nothing. */
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
