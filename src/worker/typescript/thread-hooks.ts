/** Loader hooks for Node 20, which runs them in a thread of their own. */
import type { LoadHook, ResolveHook } from "node:module";
import { resolveOwn, resolveSource } from "./resolve.ts";
import { compileTypeScript, isTypeScript } from "./transform.ts";

let ownsPackage = false;

export function initialize(options: { readonly ownsPackage: boolean }): void {
  ({ ownsPackage } = options);
}

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const url =
    (ownsPackage ? resolveOwn(specifier) : undefined) ?? resolveSource(specifier, context.parentURL);
  return url === undefined ? await nextResolve(specifier, context) : { url, shortCircuit: true };
};

export const load: LoadHook = async (url, context, nextLoad) =>
  isTypeScript(url)
    ? { format: "module", source: compileTypeScript(url), shortCircuit: true }
    : await nextLoad(url, context);
