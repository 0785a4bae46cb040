import { types } from "node:util";
import { pointerKindOf } from "../../capture/resolve/pointers.ts";

/**
 * Containers of no more values, and of no other containers, are looked at each time they are met: that costs less than to
 * remember a million of them.
 */
const SMALL = 8;

/**
 * The targets of pointers in plain objects, arrays, Maps and Sets, however deep, each once. For arguments of which it is
 * not known what a codec of the user's does with them; not in instances of classes, which may lead to anything.
 */
export function findPointers(root: unknown, rootName: string): readonly string[] {
  const targets = new Set<string>();
  const seen = new Set<object>();
  const queue: object[] = isObject(root) ? [root] : [];
  for (const value of queue) {
    if (seen.has(value)) continue;
    const kind = pointerKindOf(value);
    if (kind !== undefined) {
      targets.add(kind.target(value, () => pathTo(value, root as object, rootName)));
      continue;
    }
    const queued = queue.length;
    let count = 0;
    for (const held of heldBy(value)) {
      count += 1;
      if (isObject(held)) queue.push(held);
    }
    // What is in a cycle holds something.
    if (queue.length > queued || count > SMALL) seen.add(value);
  }
  return [...targets];
}

/** The shortest way. Only a refusal shows one, so it is found by another search. */
function pathTo(sought: object, root: object, rootName: string): string {
  const holders = new Map<object, object | undefined>([[root, undefined]]);
  for (const value of holders.keys()) {
    if (holders.has(sought)) break;
    for (const held of heldBy(value)) if (isObject(held) && !holders.has(held)) holders.set(held, value);
  }
  const steps: string[] = [];
  for (let at = sought, holder = holders.get(at); holder !== undefined; holder = holders.get(at)) {
    steps.unshift(stepTo(at, holder));
    at = holder;
  }
  return rootName + steps.join("");
}

function stepTo(held: object, holder: object): string {
  if (Array.isArray(holder)) return `[${holder.indexOf(held)}]`;
  if (types.isSet(holder)) return "<item>";
  if (types.isMap(holder)) {
    if (holder.has(held)) return "<key>";
    return `.get(${String([...holder].find(([, value]) => value === held)?.[0])})`;
  }
  return `.${Object.entries(holder).find(([, value]) => value === held)?.[0]}`;
}

function heldBy(value: object): Iterable<unknown> {
  if (Array.isArray(value) || types.isSet(value)) return value;
  if (types.isMap(value)) return [...value.keys(), ...value.values()];
  return isPlain(value) ? Object.values(value) : NOTHING;
}

const NOTHING: readonly unknown[] = [];

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === null || Object.getPrototypeOf(proto) === null;
}
