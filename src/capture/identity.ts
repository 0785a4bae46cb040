import type { Debugger, Runtime } from "node:inspector";
import type { Draft } from "./functions.ts";
import { theInspector } from "./inspect.ts";
import { pauseIn, reasonNotToProbe } from "./probe.ts";
import { surroundingsOf } from "./scopes.ts";
import type { Walk } from "./walk.ts";

/** One running instance of a scope. V8 shows only copies, so who shares it has to be found out. */
export class SharedScope {
  readonly kind: string;
  readonly scriptId: string;
  readonly depth: number;
  readonly different: WeakSet<SharedScope> = new WeakSet<SharedScope>();
  readonly representative: WeakRef<object>;

  constructor(fn: object, { kind, scriptId, depth }: { kind: string; scriptId: string; depth: number }) {
    this.kind = kind;
    this.scriptId = scriptId;
    this.depth = depth;
    this.representative = new WeakRef(fn);
  }

  holds(fn: object, depth: number): boolean {
    return known.get(fn)?.get(depth) === this;
  }

  /** A scope lies within another when some function sees both. */
  isWithin(outer: SharedScope): boolean {
    const fn = this.representative.deref();
    return fn !== undefined && known.get(fn)?.get(outer.depth) === outer;
  }
}

/** For each function, the scopes around it by depth: this never changes in a function's life. */
const known = new WeakMap<object, Map<number, SharedScope>>();
const modules = new Map<string, SharedScope>();
const candidatesOf = new WeakMap<Walk, Set<SharedScope>>();

/** The scope at `depth` around a function, found out exactly: a wrong guess would share or split a variable. */
export function scopeOf(walk: Walk, draft: Draft, depth: number, name: string): SharedScope {
  const { fn, around } = draft;
  const scopes = around?.scopes ?? [];
  const kind = depth <= 1 ? "global" : (scopes[scopes.length - depth]?.kind ?? "inner");
  const scriptId = around?.scriptId ?? "";
  if (kind !== "inner") return unique(fn, depth, { kind, scriptId: kind === "module" ? scriptId : "" });
  const candidates = candidatesOf.get(walk) ?? new Set<SharedScope>();
  candidatesOf.set(walk, candidates);
  let scope = known.get(fn)?.get(depth) ?? new SharedScope(fn, { kind, scriptId, depth });
  remember(fn, depth, scope);
  if (candidates.has(scope)) return scope;
  for (const candidate of candidates) {
    if (!isSame(walk, { candidate, scope, draft, name })) continue;
    scope = candidate;
    remember(fn, depth, scope);
    return scope;
  }
  candidates.add(scope);
  return scope;
}

function unique(fn: object, depth: number, place: { kind: string; scriptId: string }): SharedScope {
  const key = `${place.kind}:${place.scriptId}`;
  const scope = modules.get(key) ?? new SharedScope(fn, { ...place, depth });
  modules.set(key, scope);
  remember(fn, depth, scope);
  return scope;
}

function remember(fn: object, depth: number, scope: SharedScope): void {
  const scopes = known.get(fn) ?? new Map<number, SharedScope>();
  known.set(fn, scopes.set(depth, scope));
}

interface Comparison {
  readonly candidate: SharedScope;
  readonly scope: SharedScope;
  readonly draft: Draft;
  readonly name: string;
}

function isSame(walk: Walk, { candidate, scope, draft, name }: Comparison): boolean {
  if (
    candidate.scriptId !== scope.scriptId ||
    candidate.depth !== scope.depth ||
    candidate.different.has(scope)
  )
    return false;
  const other = candidate.representative.deref();
  if (other === undefined || !looksSame(draft, other, scope.depth)) return false;
  const reason = reasonNotToProbe();
  if (reason !== undefined) {
    walk.refuse(
      `whether "${name}" is one variable or two equal ones cannot be told while ${reason}`,
      "close the debugger, or keep shared state in an object",
    );
  }
  const answer =
    sharesVariable(draft.fn, other, { name, depth: scope.depth }) ??
    sharesVariable(other, draft.fn, { name, depth: scope.depth });
  if (answer === undefined) {
    walk.refuse(
      `whether "${name}" is one variable or two equal ones cannot be told for this kind of function`,
      "keep shared state in an object",
    );
  }
  if (!answer) {
    candidate.different.add(scope);
    scope.different.add(candidate);
  }
  return answer;
}

/** Scopes with other names or values are surely not one. */
function looksSame({ around }: Draft, other: object, depth: number): boolean {
  const mine = variablesAt(around?.scopes ?? [], depth);
  const theirs = variablesAt(surroundingsOf(other).scopes, depth);
  const names = Object.keys(mine);
  return (
    names.length === Object.keys(theirs).length &&
    names.every((name) => Object.hasOwn(theirs, name) && isEqual(mine, theirs, name))
  );
}

function isEqual(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  name: string,
): boolean {
  try {
    return Object.is(a[name], b[name]);
  } catch {
    return true;
  }
}

function variablesAt(
  scopes: readonly { variables: Readonly<Record<string, unknown>> }[],
  depth: number,
): Readonly<Record<string, unknown>> {
  return scopes[scopes.length - depth]?.variables ?? {};
}

/**
 * Writes a mark into the variable as one function sees it, looks whether the other sees the mark, and puts the value
 * back. Undefined when the function did not pause.
 */
function sharesVariable(
  fn: object,
  other: object,
  { name, depth }: { name: string; depth: number },
): boolean | undefined {
  let answer: boolean | undefined;
  pauseIn(fn, (frame) => {
    const scopeNumber = frame.scopeChain.length - depth;
    const before = valueIn(frame, scopeNumber, name);
    if (before === undefined) return;
    const mark = {};
    const set = (newValue: Runtime.CallArgument): unknown =>
      theInspector().post("Debugger.setVariableValue", {
        callFrameId: frame.callFrameId,
        scopeNumber,
        variableName: name,
        newValue,
      });
    set({ objectId: theInspector().handle(mark) });
    try {
      answer = variablesAt(surroundingsOf(other).scopes, depth)[name] === mark;
    } finally {
      set(restoring(before));
    }
  });
  return answer;
}

function valueIn(
  frame: Debugger.CallFrame,
  scopeNumber: number,
  name: string,
): { value: unknown } | undefined {
  const objectId = frame.scopeChain[scopeNumber]?.object.objectId;
  if (objectId === undefined) return undefined;
  const { result } = theInspector().post<Runtime.GetPropertiesReturnType>("Runtime.getProperties", {
    objectId,
    ownProperties: true,
  });
  const found = result.find((property) => property.name === name)?.value;
  return found === undefined ? undefined : { value: theInspector().take(found) };
}

function restoring({ value }: { value: unknown }): Runtime.CallArgument {
  if (
    (typeof value === "object" && value !== null) ||
    typeof value === "function" ||
    typeof value === "symbol"
  ) {
    return { objectId: theInspector().handle(value) };
  }
  if (typeof value === "bigint") return { unserializableValue: `${value}n` };
  if (typeof value === "number" && (Object.is(value, -0) || !Number.isFinite(value))) {
    return { unserializableValue: Object.is(value, -0) ? "-0" : String(value) };
  }
  return { value };
}
