import type { ModuleRef } from "../modules/module-code.ts";

/** The module at whose top level a revived function was made. */
export interface Environment {
  readonly ref: ModuleRef;
  /** Names that the function takes from between the module and itself. */
  readonly inner: ReadonlySet<string>;
}

const environments = new WeakMap<object, Environment>();

export function setEnvironment(fn: object, environment: Environment): void {
  environments.set(fn, environment);
}

export function environmentOf(fn: object): Environment | undefined {
  return environments.get(fn);
}
