import type { Draft } from "./functions.ts";
import { newMark, PausedVariable } from "../scopes/paused-variable.ts";
import { pauseIn, reasonNotToProbe } from "../scopes/probe.ts";
import { surroundingsOf, valueAt, variablesAt } from "../scopes/scopes.ts";
import type { Walk } from "./walk.ts";
import type { Slot } from "../wire/wire.ts";

/** A place that may show a variable of another module: an import, or an export of a namespace. */
interface Showing {
  readonly id: number;
  readonly what: string;
  readonly name: string;
  readonly see: () => unknown;
  /** Makes an import share the variable; absent for an export. */
  readonly follow?: (written: Written) => void;
}

/**
 * Imports and namespaces travel as the values they have now. Where a function that travels too assigns to the variable
 * behind one, a namespace gets an accessor of that variable, an import shares it, and one under another name is
 * refused.
 */
export function followLiveBindings(walk: Walk): void {
  for (const written of writtenInModules(walk.drafts)) {
    const showings = [...importsIn(walk.drafts, written.scriptId), ...exportsIn(walk)];
    const alike = showings.filter(({ see }) => Object.is(see(), written.value));
    if (alike.length === 0) continue;
    const live = liveOnes(written, alike);
    if (live === undefined) refuse(walk, alike[0] as Showing, written);
    for (const showing of live) follow(walk, showing, written);
  }
}

function follow(walk: Walk, showing: Showing, written: Written): void {
  if (showing.follow === undefined) walk.makeLive(showing.id, showing.name, getterOf(walk, written));
  else if (showing.name !== written.name) refuse(walk, showing, written);
  else showing.follow(written);
}

function refuse(walk: Walk, { id, what }: Showing, { name }: Written): never {
  walk.at(id);
  return walk.refuse(
    reasonNotToProbe() === undefined
      ? `its ${what} is the variable "${name}" of another module that a captured function assigns to`
      : `whether its ${what} is the variable "${name}" that a captured function assigns to cannot be told while a debugger is attached`,
    "import it under its own name, or keep what changes in an object",
  );
}

/** A function of the module that reads the variable. */
function getterOf(walk: Walk, { name, depth, value, writers }: Written): Slot {
  const { around } = writers[0] as Draft;
  const slot = walk.slot(value, "");
  return walk.addDraft({
    captures: [{ name, isWritten: false, slot, depth }],
    around,
    code: { source: `() => ${name}`, form: "expression", strict: true },
    node: { properties: [], sealed: false, proto: 0 },
    place: undefined,
    owner: undefined,
    home: undefined,
    isInModule: false,
  });
}

interface Written {
  readonly name: string;
  readonly depth: number;
  readonly scriptId: string;
  readonly value: unknown;
  readonly writers: Draft[];
}

function writtenInModules(drafts: readonly Draft[]): Iterable<Written> {
  const found = new Map<string, Written>();
  for (const draft of drafts) {
    for (const { name, isWritten, depth } of draft.captures) {
      if (!isWritten || !isModuleAt(draft, depth)) continue;
      const { scriptId = "", scopes = [] } = draft.around ?? {};
      const known = found.get(`${scriptId}:${name}`);
      if (known === undefined)
        found.set(`${scriptId}:${name}`, {
          name,
          depth,
          scriptId,
          value: valueAt(variablesAt(scopes, depth), name),
          writers: [draft],
        });
      else known.writers.push(draft);
    }
  }
  return found.values();
}

function isModuleAt({ around }: Draft, depth: number): boolean {
  const scopes = around?.scopes ?? [];
  return depth > 0 && scopes[scopes.length - depth]?.kind === "module";
}

/** What functions of other modules take from the top level of theirs and do not assign to. */
function importsIn(drafts: readonly Draft[], scriptId: string): Showing[] {
  return drafts.flatMap((draft) =>
    draft.around?.scriptId === scriptId
      ? []
      : draft.captures
          .filter(({ isWritten, depth }) => !isWritten && isModuleAt(draft, depth))
          .map(({ name, depth }) => ({
            id: draft.id,
            name,
            what: `captured "${name}"`,
            follow: sharing(draft, name),
            see: () => valueAt(variablesAt(surroundingsOf(draft.fn).scopes, depth), name),
          })),
  );
}

function sharing(draft: Draft, name: string): (written: Written) => void {
  return (written) => {
    const at = draft.captures.findIndex((capture) => capture.name === name);
    const capture = draft.captures[at];
    const [importedFrom] = written.writers;
    if (capture !== undefined && importedFrom !== undefined)
      draft.captures[at] = { ...capture, depth: written.depth, importedFrom };
  };
}

function exportsIn(walk: Walk): Showing[] {
  return walk.namespaces.flatMap(({ id, namespace }) =>
    Object.keys(namespace).map((name) => ({
      id,
      name,
      what: `export "${name}"`,
      see: () => valueAt(namespace, name),
    })),
  );
}

/** Those in which a mark shows that is written into the variable for a moment; undefined when none can be written. */
function liveOnes({ writers, name, depth }: Written, showings: readonly Showing[]): Showing[] | undefined {
  if (reasonNotToProbe() !== undefined) return undefined;
  let live: Showing[] | undefined;
  for (const { fn } of writers) {
    pauseIn(fn, (frame) => {
      const mark = newMark();
      PausedVariable.find(frame, { name, depth })?.holding(mark, () => {
        live = showings.filter(({ see }) => see() === mark);
      });
    });
    if (live !== undefined) return live;
  }
  return undefined;
}
