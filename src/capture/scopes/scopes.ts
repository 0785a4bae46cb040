import type { Debugger } from "node:inspector";
import { scriptUrl, theInspector } from "./inspect.ts";

export type Variables = Readonly<Record<string, unknown>>;

/** One of the scopes around a function, innermost first. Its object is a copy that V8 made now. */
export interface Scope {
  readonly kind: "module" | "script" | "global" | "inner";
  readonly variables: Variables;
}

/** Where a function was written and what surrounds it. */
export interface Surroundings {
  readonly scriptId: string;
  /** Of the function's parameter list, zero-based; of an arrow function's start. */
  readonly line: number;
  readonly column: number;
  readonly scopes: readonly Scope[];
}

interface ScopeEntry {
  readonly description: string;
  readonly object: Record<string, unknown>;
}

/** Reads the variables around `fn` as of now. */
export function surroundingsOf(fn: object): Surroundings {
  const inspector = theInspector();
  try {
    const { named } = inspector.internals(fn);
    const location = named.get("[[FunctionLocation]]")?.value as Debugger.Location | undefined;
    const list = inspector.take(named.get("[[Scopes]]")) as readonly ScopeEntry[] | undefined;
    return {
      scriptId: location?.scriptId ?? "",
      line: location?.lineNumber ?? 0,
      column: location?.columnNumber ?? 0,
      scopes: Array.from(list ?? [], toScope),
    };
  } finally {
    inspector.release();
  }
}

/** Those of the scope at `depth`, counted from the outermost. */
export function variablesAt(scopes: readonly { variables: Variables }[], depth: number): Variables {
  return scopes[scopes.length - depth]?.variables ?? {};
}

const NO_VALUE = Symbol("no value yet");

/** What a variable holds; a mark of its own for one that cannot be read yet. */
export function valueAt(variables: object, name: string): unknown {
  try {
    return Reflect.get(variables, name);
  } catch {
    return NO_VALUE;
  }
}

/** V8 copies a scope when its object is asked for, which takes long for a module with many variables. */
function toScope(entry: ScopeEntry): Scope {
  let variables: Record<string, unknown> | undefined;
  return {
    kind: KINDS[entry.description] ?? "inner",
    get variables() {
      return (variables ??= entry.object);
    },
  };
}

const KINDS: Readonly<Record<string, Scope["kind"]>> = {
  Global: "global",
  Module: "module",
  Script: "script",
};

/** The url of the file that surrounds a function, empty when it has none. */
export function urlOf({ scriptId }: Surroundings): string {
  return scriptId === "" ? "" : scriptUrl(scriptId);
}
