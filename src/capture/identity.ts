import type { Debugger, Runtime } from "node:inspector";
import { isClassFunction } from "./class-text.ts";
import type { Draft } from "./functions.ts";
import { methodOf } from "./insides.ts";
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
}

/** For each function, the scopes around it by depth: this never changes in a function's life. */
const known = new WeakMap<object, Map<number, SharedScope>>();
const modules = new Map<string, SharedScope>();
/** The scopes met in one capture, with the variables they had then. */
const candidatesOf = new WeakMap<Walk, Map<SharedScope, Variables>>();

type Variables = Readonly<Record<string, unknown>>;

/** The scope at `depth` around a function, found out exactly: a wrong guess would share or split a variable. */
export function scopeOf(walk: Walk, draft: Draft, depth: number, name: string): SharedScope {
  const { fn, around } = draft;
  const scopes = around?.scopes ?? [];
  const kind = depth <= 1 ? "global" : (scopes[scopes.length - depth]?.kind ?? "inner");
  const scriptId = around?.scriptId ?? "";
  if (kind !== "inner") return unique(fn, depth, { kind, scriptId: kind === "module" ? scriptId : "" });
  const candidates = candidatesOf.get(walk) ?? new Map<SharedScope, Variables>();
  candidatesOf.set(walk, candidates);
  const scope = known.get(fn)?.get(depth) ?? new SharedScope(fn, { kind, scriptId, depth });
  remember(fn, depth, scope);
  if (candidates.has(scope)) return scope;
  const variables = variablesAt(scopes, depth);
  const same = findSame(walk, { draft, scope, variables, name, candidates });
  if (same !== undefined) remember(fn, depth, same);
  else candidates.set(scope, variables);
  return same ?? scope;
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
  readonly draft: Draft;
  readonly scope: SharedScope;
  readonly variables: Variables;
  readonly name: string;
  readonly candidates: ReadonlyMap<SharedScope, Variables>;
}

/** The candidate that is the very scope of a function. One pause answers for all candidates that look like it. */
function findSame(
  walk: Walk,
  { draft, scope, variables, name, candidates }: Comparison,
): SharedScope | undefined {
  const alike = [...candidates].filter(
    ([candidate, theirs]) => isAlike(candidate, scope) && looksSame(variables, theirs),
  );
  const others = alike.flatMap(([candidate]) => {
    const fn = candidate.representative.deref();
    return fn === undefined ? [] : [{ candidate, fn }];
  });
  if (others.length === 0) return undefined;
  const reason = reasonNotToProbe();
  const doubt = `whether "${name}" is one variable or two equal ones cannot be told`;
  if (reason !== undefined)
    walk.refuse(`${doubt} while ${reason}`, "close the debugger, or keep shared state in an object");
  const place = { name, depth: scope.depth };
  const answers =
    sharesVariable(
      draft.fn,
      others.map(({ fn }) => fn),
      place,
    ) ??
    // A generator does not pause, but what it is compared with may.
    others.map(({ fn }) => sharesVariable(fn, [draft.fn], place)?.[0]);
  if (answers.includes(undefined))
    walk.refuse(`${doubt} for this kind of function`, "keep shared state in an object");
  for (const [index, { candidate }] of others.entries()) {
    if (answers[index] === true) return candidate;
    candidate.different.add(scope);
    scope.different.add(candidate);
  }
  return undefined;
}

function isAlike(candidate: SharedScope, scope: SharedScope): boolean {
  return (
    candidate.scriptId === scope.scriptId &&
    candidate.depth === scope.depth &&
    !candidate.different.has(scope)
  );
}

/** Scopes with other names or values are surely not one. */
function looksSame(mine: Variables, theirs: Variables): boolean {
  const names = Object.keys(mine);
  return (
    names.length === Object.keys(theirs).length &&
    names.every((name) => Object.hasOwn(theirs, name) && isEqual(mine, theirs, name))
  );
}

function isEqual(a: Variables, b: Variables, name: string): boolean {
  try {
    return Object.is(a[name], b[name]);
  } catch {
    return true;
  }
}

function variablesAt(scopes: readonly { variables: Variables }[], depth: number): Variables {
  return scopes[scopes.length - depth]?.variables ?? {};
}

/**
 * Writes a mark into the variable as one function sees it, looks which others see the mark, and puts the value back.
 * Undefined when the function did not pause.
 */
function sharesVariable(
  fn: object,
  others: readonly object[],
  { name, depth }: { name: string; depth: number },
): readonly (boolean | undefined)[] | undefined {
  // A class cannot be called, but what surrounds it surrounds its methods.
  const paused = isClassFunction(fn) ? methodOf(fn) : fn;
  if (paused === undefined) return undefined;
  let answers: boolean[] | undefined;
  pauseIn(paused, (frame) => {
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
      answers = others.map((other) => variablesAt(surroundingsOf(other).scopes, depth)[name] === mark);
    } finally {
      set(restoring(before));
    }
  });
  return answers;
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
