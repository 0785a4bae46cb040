import { cannotDecode } from "../wire/wire.ts";

/** Without a stack, which comes with its properties. */
export function emptyError(): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  delete error.stack;
  return error;
}

export function argumentsOf(..._values: unknown[]): IArguments {
  // oxlint-disable-next-line prefer-rest-params -- the object itself is wanted
  return arguments;
}

/** A symbol of the language by its name, or one of all by `=` and its key. */
export function symbolOf(name: string): symbol {
  const known = name.startsWith("=") ? Symbol.for(name.slice(1)) : (Reflect.get(Symbol, name) as unknown);
  if (typeof known !== "symbol") throw cannotDecode(`this version of Node has no Symbol.${name}`);
  return known;
}
