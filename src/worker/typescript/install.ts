import module from "node:module";
import { packageUrl } from "../../core/own-code.ts";
import { resolveOwn, resolveSource } from "./resolve.ts";
import { compileTypeScript, isTypeScript } from "./transform.ts";

export interface InstallOptions {
  /** Imports of this package lead to this copy, wherever they stand. */
  readonly ownsPackage: boolean;
}

/** From here on, this process imports TypeScript as it is: no build step, enums and parameter properties included. */
export function installTypeScript({ ownsPackage }: InstallOptions): void {
  const { registerHooks }: { registerHooks?: RegisterHooks } = module as object;
  if (registerHooks !== undefined) installInThread(registerHooks, ownsPackage);
  else
    module.register(packageUrl("dist/worker/typescript/thread-hooks.js"), {
      data: { ownsPackage },
    });
}

interface Context {
  readonly parentURL?: string | undefined;
}
type Next<Result> = (specifier: string, context: Context) => Result;
type RegisterHooks = (hooks: {
  resolve: (specifier: string, context: Context, next: Next<unknown>) => unknown;
  load: (url: string, context: Context, next: Next<unknown>) => unknown;
}) => void;

/** Newer Nodes run hooks where they are used, which costs neither a thread nor a wait. */
function installInThread(registerHooks: RegisterHooks, ownsPackage: boolean): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      const url =
        (ownsPackage ? resolveOwn(specifier) : undefined) ?? resolveSource(specifier, context.parentURL);
      return url === undefined ? next(specifier, context) : { url, format: undefined, shortCircuit: true };
    },
    load: (url, context, next) =>
      isTypeScript(url)
        ? { format: "module", source: compileTypeScript(url), shortCircuit: true }
        : next(url, context),
  });
}
