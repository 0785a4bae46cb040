import { analyse } from "../source/analyse.ts";
import {
  bodyOf,
  isClassFunction,
  privateNamesIn,
  type PrivateNames,
  sourceOf,
} from "../source/class-text.ts";
import { type PrivateEntry, theInspector } from "../scopes/inspect.ts";
import { referenceTo } from "../resolve/reference-to.ts";
import type { Walk } from "./walk.ts";
import type { PrivateRecord } from "../wire/wire.ts";

/** Values of the private fields of an object; null when no class of its prototypes has any. */
export function privatesOf(walk: Walk, value: object): PrivateRecord[] | null {
  const owners = ownersOf(value);
  if (owners.length === 0) return null;
  for (const { klass } of owners) refuseSource(walk, klass);
  const inspector = theInspector();
  const entries = [...inspector.internals(value).privates];
  const found = owners.map(({ klass, names }) => ({
    klass,
    values: names.fields.map((name) => takePrivate(walk, entries, name, owners)),
  }));
  inspector.release();
  return found.map(({ klass, values }) => [
    walk.slot(klass, "(class)"),
    values.map(({ name, value: field }) => walk.slot(field, `.#${name}`)),
  ]);
}

/** Only the text of a class can put its private names on an object, and that of such a class stays as it is. */
function refuseSource(walk: Walk, klass: object): void {
  if (walk.sourceNode(klass) === undefined) return;
  walk.refuse(
    `its class ${(klass as { name?: string }).name} has private names and belongs to a module that travels as source`,
    "make the instance inside the function, and return data",
  );
}

interface Owner {
  readonly klass: object;
  readonly names: PrivateNames;
}

function ownersOf(value: object): Owner[] {
  const owners: Owner[] = [];
  for (
    let proto = Object.getPrototypeOf(value) as object | null;
    proto !== null;
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    const klass = Reflect.getOwnPropertyDescriptor(proto, "constructor")?.value as unknown;
    // Looked up only here, because that takes as long as the chain is deep.
    if (typeof klass === "function" && referenceTo(proto) !== undefined) break;
    if (
      typeof klass !== "function" ||
      klass.prototype !== proto ||
      !isClassFunction(klass) ||
      referenceTo(klass) !== undefined
    )
      continue;
    const names = privateNamesIn(bodyOf(analyse(sourceOf(klass))));
    if (names.any) owners.unshift({ klass, names });
  }
  return owners;
}

/** Entries come base class first, as they were added, so the next one of a name belongs to the next class that has it. */
function takePrivate(
  walk: Walk,
  entries: PrivateEntry[],
  name: string,
  owners: readonly Owner[],
): { name: string; value: unknown } {
  const index = entries.findIndex((entry) => entry.name === `#${name}`);
  const [entry] = index < 0 ? [] : entries.splice(index, 1);
  if (entry === undefined) {
    walk.refuse(
      `it lacks the private field #${name} that objects of ${owners.map(({ klass }) => (klass as { name?: string }).name).join(", ")} have`,
      "make it with new",
    );
  }
  return { name, value: theInspector().take(entry.value) };
}
