import type { Draft } from "../walk/functions.ts";
import { realmOf } from "../resolve/known.ts";
import { newMark, PausedVariable } from "./paused-variable.ts";
import { pauseIn, reasonNotToProbe } from "./probe.ts";
import { type Scope, surroundingsOf, valueAt, type Variables, variablesAt } from "./scopes.ts";
import type { Walk } from "../walk/walk.ts";

/** One running instance of a scope. V8 shows only copies, so who shares it has to be found out. */
export class SharedScope {
  /** The last test that told this scope from others: two of the same test are different ones. */
  test: symbol | undefined;
  #found: SharedScope | undefined;
  #size = 1;

  /** The one that stands for all that were found to be one scope. Functions of earlier captures still have the others. */
  get one(): SharedScope {
    if (this.#found === undefined) return this;
    this.#found = this.#found.one;
    return this.#found;
  }

  /** The larger one stands for both, so that no chain gets long. */
  static unite(first: SharedScope, second: SharedScope): void {
    const [one, other] = [first.one, second.one];
    if (one === other) return;
    const [small, large] = one.#size < other.#size ? [one, other] : [other, one];
    small.#found = large;
    large.#size += small.#size;
  }
}

/** A scope as one function sees it. */
export interface View {
  readonly draft: Draft;
  readonly depth: number;
  /** Variables of it that the function writes. */
  readonly written: readonly string[];
}

/** For each function, the scopes around it by place. What was found to be one scope stays one. */
const known = new WeakMap<object, Map<number, SharedScope>>();
const modules = new Map<string, SharedScope>();
/** By the global object of their vm context. */
const globals = new WeakMap<object, Map<string, SharedScope>>();

/** The scope at `depth` around a function; which other functions have it is known after {@link tellScopes}. */
export function scopeOf({ fn, around }: Draft, depth: number): SharedScope {
  const { scopes = [], scriptId = "" } = around ?? {};
  const kind = kindOf(scopes, depth);
  if (kind === "module") return scopeIn(modules, scriptId);
  if (kind !== "inner") return scopeIn(scopesIn(globals, scopes.at(-1)?.variables ?? globalThis), kind);
  return scopeIn(scopesIn(known, fn), placeOf(scopes, depth)).one;
}

function kindOf(scopes: readonly Scope[], depth: number): Scope["kind"] {
  return depth <= 1 ? "global" : (scopes[scopes.length - depth]?.kind ?? "inner");
}

/** V8 shows what scripts declare as a scope only when there is something, so that one does not count. */
function placeOf(scopes: readonly Scope[], depth: number): number {
  return scopes.some(({ kind }) => kind === "script") ? depth - 1 : depth;
}

function scopesIn<Key>(owners: WeakMap<object, Map<Key, SharedScope>>, owner: object): Map<Key, SharedScope> {
  const scopes = owners.get(owner) ?? new Map<Key, SharedScope>();
  owners.set(owner, scopes);
  return scopes;
}

function scopeIn<Key>(scopes: Map<Key, SharedScope>, key: Key): SharedScope {
  const scope = scopes.get(key) ?? new SharedScope();
  scopes.set(key, scope);
  return scope;
}

/** Finds out exactly which views are of one scope: a wrong guess would share or split a variable. */
export function tellScopes(walk: Walk, views: readonly View[]): void {
  for (const group of lookalikes(views)) {
    const name = group.flatMap(({ written }) => written)[0];
    // What nobody writes may as well be two variables of the same value.
    if (name !== undefined) tellApart(walk, group, name);
  }
}

/** Views that may be of one scope: of one script and depth, with the same names and values. */
function lookalikes(views: readonly View[]): View[][] {
  const root = new Map<unknown, unknown>();
  const groups: View[][] = [];
  for (const view of views) {
    const { scopes = [], scriptId } = view.draft.around ?? {};
    if (kindOf(scopes, view.depth) !== "inner") continue;
    let at = root;
    for (const key of [scriptId, view.depth, ...looksOf(variablesAt(scopes, view.depth)), GROUP])
      at = stepInto(at, key);
    const group = (at.get(GROUP) as View[] | undefined) ?? [];
    if (group.push(view) === 1) groups.push(group);
    at.set(GROUP, group);
  }
  return groups;
}

const GROUP = Symbol("group");

function stepInto(map: Map<unknown, unknown>, key: unknown): Map<unknown, unknown> {
  const next = (map.get(key) as Map<unknown, unknown> | undefined) ?? new Map<unknown, unknown>();
  map.set(key, next);
  return next;
}

function looksOf(variables: Variables): unknown[] {
  return Object.keys(variables).flatMap((name) => [name, valueAt(variables, name)]);
}

/** Those of one scope, as far as that is known. */
type Candidate = readonly [SharedScope, readonly View[]];

function tellApart(walk: Walk, views: readonly View[], name: string): void {
  const byScope = new Map<SharedScope, View[]>();
  for (const view of views) {
    const scope = scopeOf(view.draft, view.depth);
    byScope.set(scope, [...(byScope.get(scope) ?? []), view]);
  }
  const { fresh, settled } = partition([...byScope]);
  if (fresh.length + settled.length < 2 || fresh.length === 0) return;
  const test = new MarkTest(walk, name);
  try {
    test.run(fresh, settled);
  } finally {
    test.restore();
  }
  // Not the test itself, which holds all that is captured.
  const told = Symbol("test");
  for (const [scope] of byScope) scope.one.test = told;
}

/** The most that one test told apart already need no mark: that of the others is looked for in them. */
function partition(candidates: readonly Candidate[]): { fresh: Candidate[]; settled: Candidate[] } {
  const counts = new Map<symbol, number>();
  for (const [{ test }] of candidates) if (test !== undefined) counts.set(test, (counts.get(test) ?? 0) + 1);
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)[0] ?? [];
  const isSettled = ([{ test }]: Candidate): boolean => test !== undefined && test === most;
  return {
    fresh: candidates.filter((candidate) => !isSettled(candidate)),
    settled: candidates.filter(isSettled),
  };
}

/** While so few are compared, one pause serves for writing a mark, looking for it and putting the value back. */
const FEW = 32;

/**
 * Writes a mark of its own into the variable of each scope, so that whoever sees the mark has that scope. Each function
 * is paused at most twice, however many there are.
 */
class MarkTest {
  readonly #walk: Walk;
  readonly #name: string;
  readonly #marked = new Map<unknown, SharedScope>();
  /** Found to be one that is marked. */
  readonly #merged = new Set<SharedScope>();
  readonly #toRestore: { view: View; value: unknown }[] = [];

  constructor(walk: Walk, name: string) {
    this.#walk = walk;
    this.#name = name;
  }

  run(fresh: readonly Candidate[], settled: readonly Candidate[]): void {
    const reason = reasonNotToProbe();
    if (reason !== undefined) this.#refuse(fresh[0], `while ${reason}`, "close the debugger");
    const unmarked = this.#mark(fresh, settled);
    // A class without methods cannot be called and so does not pause, but what it is compared with may.
    const others = unmarked.length === 0 ? [] : this.#mark(settled, unmarked);
    if (unmarked.length === 0) this.#unseen(settled);
    const left = this.#unseen([...unmarked, ...others]);
    if (left.length > 1) this.#refuse(left[0], "for this kind of function");
  }

  restore(): void {
    for (const { view, value } of this.#toRestore) this.#pause(view, (variable) => variable.set(value));
  }

  /** Marks those that bear no mark yet, and gives those that cannot be marked. */
  #mark(candidates: readonly Candidate[], others: readonly Candidate[]): Candidate[] {
    const unmarked: Candidate[] = [];
    // What belongs to another vm context can be put back only in the pause in which it was found.
    const isForeign = candidates.some(([, [view]]) => view !== undefined && realmOf(view.draft.fn));
    const isFew = isForeign || candidates.length + others.length <= FEW;
    for (const [index, next] of candidates.entries()) {
      const rest = isFew ? [...unmarked, ...candidates.slice(index + 1), ...others] : [];
      const left = rest.filter(([scope]) => !this.#merged.has(scope));
      if (this.#merged.has(next[0]) || (isFew && left.length === 0)) continue;
      if (!isFew && this.#unseen([next]).length === 0) continue;
      const look = isFew ? (): void => void this.#unseen(left) : undefined;
      if (!this.#write(next, look)) unmarked.push(next);
    }
    return unmarked;
  }

  /** Those in which no mark is seen; the others are found to be of the scope whose mark it is. */
  #unseen(candidates: readonly Candidate[]): Candidate[] {
    return candidates.filter(([own, views]) => {
      if (this.#merged.has(own)) return false;
      const [{ draft, depth }] = views as readonly [View];
      const scope = this.#marked.get(
        valueAt(variablesAt(surroundingsOf(draft.fn).scopes, depth), this.#name),
      );
      if (scope === undefined) return true;
      if (scope !== own) this.#merged.add(own);
      SharedScope.unite(own, scope);
      return false;
    });
  }

  #write([scope, views]: Candidate, look: (() => void) | undefined): boolean {
    return views.some((view) => {
      let isWritten = false;
      this.#pause(view, (variable) => {
        isWritten = true;
        const mark = newMark();
        this.#marked.set(mark, scope);
        if (look !== undefined) return variable.holding(mark, look);
        this.#toRestore.push({ view, value: variable.value });
        variable.set(mark);
      });
      return isWritten;
    });
  }

  #pause({ draft, depth }: View, use: (variable: PausedVariable) => void): void {
    pauseIn(draft.fn, (frame) => {
      const variable = PausedVariable.find(frame, { name: this.#name, depth });
      if (variable !== undefined) use(variable);
    });
  }

  #refuse(candidate: Candidate | undefined, why: string, wayOut?: string): never {
    const [view] = candidate?.[1] ?? [];
    if (view !== undefined) this.#walk.at(view.draft.id);
    return this.#walk.refuse(
      `whether "${this.#name}" is one variable or two equal ones cannot be told ${why}`,
      [wayOut, "keep shared state in an object"].filter((part) => part !== undefined).join(", or "),
    );
  }
}
