import { theInspector } from "../scopes/inspect.ts";
import { standIns } from "../scopes/stand-in.ts";

/** The condition of a breakpoint where a constructor is to be left: it ends the evaluation that the constructor runs in. */
export const LEAVE = "this.$ks_leave(this)";

let left: object | undefined;

/** The prototype of what is under construction: it inherits nothing. */
export const unfinished: object = Object.defineProperty(Object.create(null) as object, "$ks_leave", {
  value: (instance: object): boolean => {
    left = instance;
    theInspector().session.post("Runtime.terminateExecution", () => undefined);
    return false;
  },
});

function Unfinished(): void {}
Unfinished.prototype = unfinished;

export function construct(klass: object): object {
  return Reflect.construct(klass as new () => object, standIns, Unfinished) as object;
}

/** Constructs up to where a breakpoint has {@link LEAVE} as its condition; undefined when there was none. */
export function constructAndLeave(klass: object): object | undefined {
  theInspector().evaluateCall(() => construct(klass));
  const instance = left;
  left = undefined;
  return instance;
}

/** Makes a class believe for a moment that its parent returns what `make` does. */
export function withParent<T>(klass: object, make: () => object, use: () => T): T {
  const parent = Object.getPrototypeOf(klass) as object;
  Object.setPrototypeOf(klass, new Proxy(parent, { construct: make }));
  // What the debugger ends runs no "finally", so this must not be part of that.
  try {
    return use();
  } finally {
    Object.setPrototypeOf(klass, parent);
  }
}
