import type { AnyFunction } from "./encode-call.ts";
import type { Job } from "../jobs/job.ts";
import type { Returned } from "../jobs/remote-items.ts";

/** The functions that a module's type holds: those of a namespace, or its exported functions. */
type FunctionsOf<Api> = Api extends { readonly functions: infer Functions }
  ? Functions
  : Api extends { readonly default: { readonly functions: infer Functions } }
    ? Functions
    : Api;

/** Registered functions as methods that make jobs, typed by the module that registers them. */
export type Rpc<Api> = {
  readonly [
    Name in keyof FunctionsOf<Api> as FunctionsOf<Api>[Name] extends AnyFunction ? Name : never
  ]: FunctionsOf<Api>[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Job<Returned<Result>>
    : never;
};

/** Makes the object behind `c.rpc()`: every name is a function, except those that await and inspection look for. */
export function rpcProxy<Api>(call: (name: string, args: readonly unknown[]) => Job<unknown>): Rpc<Api> {
  const target = Object.create(null) as Rpc<Api>;
  return new Proxy(target, {
    get: (_target, name) =>
      typeof name === "symbol" || name === "then" || name === "toJSON"
        ? undefined
        : (...args: readonly unknown[]) => call(name, args),
  });
}
