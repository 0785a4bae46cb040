import type { Capture, Draft } from "./functions.ts";
import { scopeOf, type SharedScope, tellScopes, type View } from "../scopes/identity.ts";
import { rememberUnit } from "../stacks/shipped.ts";
import type { SourceModule } from "../modules/source-modules.ts";
import type { FunctionCode, ScopeShape, UnitRecord } from "../wire/units.ts";
import type { Walk } from "./walk.ts";
import type { Slot } from "../wire/wire.ts";

/** A scope with at least one variable that several functions share and one of them writes. */
interface Cell {
  readonly scope: SharedScope;
  readonly depth: number;
  readonly order: number;
  readonly variables: Map<string, Slot>;
  readonly ancestors: Set<Cell>;
  readonly members: { draft: Draft; code: FunctionCode }[];
  readonly children: Cell[];
  parent: Cell | undefined;
}

/** Decides, now that all functions are known, which share variables, and gives each its unit. */
export function finishFunctions(walk: Walk): void {
  const embedded = embed(walk);
  const inModule = new Set(
    walk.drafts.filter(
      ({ fn, isInModule }) => isInModule || embedded.get(fn)?.some((one) => one.draft.isInModule) === true,
    ),
  );
  const cells = findCells(walk);
  nest(cells, walk.drafts);
  for (const draft of walk.drafts) {
    const own = cellsOf(draft, cells);
    const code = withEmbedded(codeWithNames(draft, cells), embedded.get(draft.fn));
    const home = own.at(-1);
    if (home === undefined) finishAlone(walk, { draft, code }, inModule.has(draft));
    else {
      refuseSharedName(walk, draft, own);
      refuseHidden(walk, draft, cells, home);
      home.members.push({ draft, code });
    }
  }
  for (const cell of cells.values()) if (cell.parent === undefined) finishTree(walk, cell, inModule);
}

interface Embedded {
  readonly draft: Draft;
  readonly code: FunctionCode;
}

/**
 * Functions that use private names and are no members are made inside of their class, and have from there the variables that the
 * class has; only what lies between the class and them is their own.
 */
function embed(walk: Walk): Map<object, Embedded[]> {
  const embedded = new Map<object, Embedded[]>();
  const drafts = new Map(walk.drafts.map((draft) => [draft.fn, draft]));
  for (const draft of walk.drafts.filter(({ owner }) => owner !== undefined)) {
    const klass = draft.owner as object;
    const outer = drafts.get(klass);
    const own = draft.captures.filter(
      ({ name, depth }) =>
        !outer?.captures.some((capture) => capture.name === name && capture.depth === depth),
    );
    refuseSplit(walk, draft, own);
    const list = embedded.get(klass) ?? [];
    embedded.set(klass, list);
    const code = { ...draft.code, names: own.map(({ name }) => name) };
    const captures = own.map(({ slot }) => slot);
    walk.finish(draft.id, [
      "function",
      { ...draft.node, unit: -1, scope: -1, member: list.length, captures },
    ]);
    list.push({ draft, code });
  }
  walk.dropDrafts(({ owner }) => owner !== undefined);
  return embedded;
}

/** Such a function has variables of its own, which no other function could share. */
function refuseSplit(walk: Walk, draft: Draft, own: readonly Capture[]): void {
  for (const { name, isWritten } of own) {
    const others = walk.drafts
      .filter((other) => other !== draft)
      .flatMap(({ captures }) => captures.filter((capture) => capture.name === name));
    if (others.length === 0 || (!isWritten && !others.some((capture) => capture.isWritten))) continue;
    walk.at(draft.id);
    walk.refuse(
      `it uses private names and shares the variable "${name}" with another function that is sent`,
      "keep the shared state in an object",
    );
  }
}

function withEmbedded(code: FunctionCode, embedded: readonly Embedded[] | undefined): FunctionCode {
  if (embedded === undefined || code.klass === undefined) return code;
  return { ...code, klass: { ...code.klass, embedded: embedded.map((one) => one.code) } };
}

function findCells(walk: Walk): Cells {
  const written = new Set<string>();
  for (const { captures } of walk.drafts)
    for (const { name, isWritten, depth } of captures) if (isWritten && depth > 0) written.add(name);
  const cells: Cells = new Map();
  if (written.size === 0 || walk.drafts.length < 2) return cells;
  tellScopes(walk, viewsOf(walk, written));
  for (const [scope, variables] of usesOf(walk, written)) {
    const cell = toCell(scope, variables, cells.size);
    if (cell !== undefined) cells.set(scope, cell);
  }
  return cells;
}

type Cells = Map<SharedScope, Cell>;

/** The scopes in which functions see variables of these names. */
function viewsOf(walk: Walk, names: ReadonlySet<string>): View[] {
  return walk.drafts.flatMap((draft) => {
    const depths = new Map<number, string[]>();
    for (const { name, isWritten, depth } of draft.captures) {
      if (depth === 0 || !names.has(name)) continue;
      const own = depths.get(depth) ?? [];
      depths.set(depth, isWritten ? [...own, name] : own);
    }
    return [...depths].map(([depth, own]) => ({ draft, depth, written: own }));
  });
}

type Uses = Map<SharedScope, Map<string, { draft: Draft; capture: Capture }[]>>;

function usesOf(walk: Walk, names: ReadonlySet<string>): Uses {
  const uses: Uses = new Map();
  for (const draft of walk.drafts) {
    for (const capture of draft.captures) {
      if (!names.has(capture.name) || capture.depth === 0) continue;
      const scope = scopeFor(draft, capture);
      const variables = uses.get(scope) ?? new Map<string, { draft: Draft; capture: Capture }[]>();
      uses.set(scope, variables);
      const list = variables.get(capture.name) ?? [];
      variables.set(capture.name, list);
      list.push({ draft, capture });
    }
  }
  return uses;
}

function toCell(
  scope: SharedScope,
  uses: Map<string, { draft: Draft; capture: Capture }[]>,
  order: number,
): Cell | undefined {
  const variables = new Map<string, Slot>();
  let depth = 0;
  for (const [name, list] of [...uses].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const [first] = list;
    if (first === undefined || list.length < 2 || !list.some(({ capture }) => capture.isWritten)) continue;
    variables.set(name, first.capture.slot);
    depth = first.capture.depth;
  }
  if (variables.size === 0) return undefined;
  const own = { ancestors: new Set<Cell>(), members: [], children: [], parent: undefined };
  return { scope, depth, order, variables, ...own };
}

/** The shared scopes that a function sees, outermost first. */
function cellsOf(draft: Draft, cells: Cells): Cell[] {
  if (cells.size === 0) return [];
  const own = new Set(draft.captures.flatMap((capture) => cellOf(draft, capture, cells) ?? []));
  return [...own].toSorted(byNesting);
}

/** The shared scope that holds what a function captures. */
function cellOf(draft: Draft, capture: Capture, cells: Cells): Cell | undefined {
  if (capture.depth === 0) return undefined;
  const cell = cells.get(scopeFor(draft, capture));
  return cell?.variables.has(capture.name) === true ? cell : undefined;
}

function scopeFor(draft: Draft, { importedFrom, depth }: Capture): SharedScope {
  return scopeOf(importedFrom ?? draft, depth);
}

/** Outermost first. Those of several modules, which nothing orders, keep one order for all functions. */
function byNesting(a: Cell, b: Cell): number {
  return a.depth - b.depth || a.order - b.order;
}

/** Scopes that one function sees lie within each other; from the innermost on, each gets the next one around it. */
function nest(cells: Cells, drafts: readonly Draft[]): void {
  for (const draft of drafts) {
    const seen = cellsOf(draft, cells);
    for (const [index, cell] of seen.entries())
      for (const outer of seen.slice(0, index)) cell.ancestors.add(outer);
  }
  for (const cell of [...cells.values()].toSorted(byNesting).toReversed()) {
    const parent = [...cell.ancestors].toSorted(byNesting).at(-1);
    if (parent === undefined) continue;
    cell.parent = parent;
    parent.children.push(cell);
    for (const ancestor of cell.ancestors) if (ancestor !== parent) parent.ancestors.add(ancestor);
  }
}

function codeWithNames(draft: Draft, cells: Cells): FunctionCode {
  const names = draft.captures
    .filter((capture) => cellOf(draft, capture, cells) === undefined)
    .map(({ name }) => name);
  return { ...draft.code, names };
}

/** The declaration of a function makes a variable of its own name, which would hide the shared one. */
function refuseSharedName(walk: Walk, draft: Draft, cells: readonly Cell[]): void {
  const { declaredName } = draft.code;
  if (declaredName === undefined || !cells.some((cell) => cell.variables.has(declaredName))) return;
  walk.at(draft.id);
  walk.refuse(
    `its name "${declaredName}" is a variable that a captured function assigns to`,
    "call the variable differently than the function",
  );
}

/** Variables of two modules that lie within each other here would hide each other under one name. */
function refuseHidden(walk: Walk, draft: Draft, cells: Cells, home: Cell): void {
  for (const capture of draft.captures) {
    const cell = cellOf(draft, capture, cells);
    let at: Cell | undefined = home;
    while (at !== undefined && !at.variables.has(capture.name)) at = at.parent;
    if (cell === undefined || at === cell) continue;
    walk.at(draft.id);
    walk.refuse(
      `"${capture.name}" is a variable of two modules whose functions are sent together and change it`,
      "rename one of them",
    );
  }
}

function slotsFor(draft: Draft, { names }: FunctionCode): Slot[] {
  return names.map((name) => draft.captures.find((capture) => capture.name === name)?.slot);
}

function finishAlone(walk: Walk, { draft, code }: Embedded, isInModule: boolean): void {
  const { home, place } = draft;
  const record: UnitRecord = {
    shape: { names: [], members: [code], children: [] },
    ...(place === undefined || isInModule ? {} : { place }),
    ...(isInModule && home !== undefined ? { module: home.ref } : {}),
  };
  const { index, hash } = walk.unit(record);
  rememberUnit(hash, record, [draft.fn], draft.around?.scriptId);
  if (isInModule && home !== undefined) walk.addModule(home);
  walk.finish(draft.id, [
    "function",
    { ...draft.node, unit: index, scope: -1, member: 0, captures: slotsFor(draft, code) },
  ]);
}

interface Shaped {
  readonly cell: Cell;
  readonly shape: ScopeShape;
  readonly members: readonly { draft: Draft; code: FunctionCode; index: number }[];
  readonly children: readonly { shaped: Shaped; index: number }[];
}

function finishTree(walk: Walk, root: Cell, inModule: ReadonlySet<Draft>): void {
  const shaped = shapeOf(root);
  const home = commonHome(walk, draftsIn(root), inModule);
  const record = { shape: shaped.shape, ...(home === undefined ? {} : { module: home.ref }) };
  const { index, hash } = walk.unit(record);
  rememberUnit(hash, record, functionsIn(shaped));
  if (home !== undefined) walk.addModule(home);
  placeScope(walk, { shaped, unit: index, child: -1, parent: -1 });
}

function draftsIn({ members, children }: Cell): Draft[] {
  return [...members.map(({ draft }) => draft), ...children.flatMap(draftsIn)];
}

/** Functions that share variables are made together, so all in the top level of one module or none. */
function commonHome(
  walk: Walk,
  drafts: readonly Draft[],
  inModule: ReadonlySet<Draft>,
): SourceModule | undefined {
  const needing = drafts.find((draft) => inModule.has(draft));
  const stranger = drafts.find(({ home }) => home !== needing?.home);
  if (needing === undefined || stranger === undefined) return needing?.home;
  walk.at(stranger.id);
  return walk.refuse(
    `it shares a variable with a function of ${needing.home?.url}, which travels as source`,
    "keep the shared state in an object",
  );
}

/** Equal functions and equal inner scopes, such as those of a loop, need their text only once. */
function shapeOf(cell: Cell): Shaped {
  const members = distinct(cell.members, ({ code }) => code);
  const children = distinct(cell.children.map(shapeOf), ({ shape }) => shape);
  return {
    cell,
    shape: {
      names: [...cell.variables.keys()],
      members: members.kinds.map(({ code }) => code),
      children: children.kinds.map(({ shape }) => shape),
    },
    members: members.items.map(({ item, index }) => ({ ...item, index })),
    children: children.items.map(({ item, index }) => ({ shaped: item, index })),
  };
}

function distinct<T>(
  list: readonly T[],
  textOf: (item: T) => unknown,
): { kinds: T[]; items: { item: T; index: number }[] } {
  const texts = new Map<string, T>();
  const keyed = list.map((item) => ({ item, text: JSON.stringify(textOf(item)) }));
  for (const { item, text } of keyed.toSorted((a, b) => (a.text < b.text ? -1 : 1)))
    if (!texts.has(text)) texts.set(text, item);
  const order = new Map([...texts.keys()].map((text, index) => [text, index]));
  return {
    kinds: [...texts.values()],
    items: keyed.map(({ item, text }) => ({ item, index: order.get(text) ?? -1 })),
  };
}

function functionsIn({ members, children }: Shaped): object[] {
  const own = firstOfEach(members).map(({ draft }) => draft.fn);
  return [...own, ...firstOfEach(children).flatMap(({ shaped }) => functionsIn(shaped))];
}

function firstOfEach<T extends { readonly index: number }>(list: readonly T[]): T[] {
  const firsts: T[] = [];
  for (const item of list) firsts[item.index] ??= item;
  return firsts;
}

interface Placing {
  readonly shaped: Shaped;
  readonly unit: number;
  readonly child: number;
  readonly parent: number;
}

function placeScope(walk: Walk, { shaped, unit, child, parent }: Placing): void {
  const scope = walk.scopes.push({ unit, child, parent, values: [...shaped.cell.variables.values()] }) - 1;
  for (const { draft, code, index } of shaped.members) {
    walk.finish(draft.id, [
      "function",
      { ...draft.node, unit, scope, member: index, captures: slotsFor(draft, code) },
    ]);
  }
  for (const inner of shaped.children)
    placeScope(walk, { shaped: inner.shaped, unit, child: inner.index, parent: scope });
}
