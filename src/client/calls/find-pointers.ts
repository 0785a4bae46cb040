import { types } from "node:util";
import { pointerKindOf } from "../../capture/resolve/pointers.ts";

/** What a codec of the user's does with values is not known, so they are looked at from outside, up to here. */
const MAX_DEPTH = 8;
const MAX_VALUES = 10_000;

/** The targets of pointers in plain objects, arrays, Maps and Sets, each once. */
export function findPointers(root: unknown, rootName: string): readonly string[] {
  const targets = new Set<string>();
  const seen = new Set<object>();
  const queue: (readonly [value: unknown, path: string, depth: number])[] = [[root, rootName, 0]];
  for (const [value, path, depth] of queue) {
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    const kind = pointerKindOf(value);
    if (kind !== undefined) targets.add(kind.target(value, () => path));
    else if (depth < MAX_DEPTH)
      for (const [step, held] of heldBy(value)) {
        if (queue.length >= MAX_VALUES) break;
        queue.push([held, path + step, depth + 1]);
      }
  }
  return [...targets];
}

function* heldBy(value: object): Generator<readonly [step: string, held: unknown]> {
  if (Array.isArray(value)) for (const [index, held] of value.entries()) yield [`[${index}]`, held];
  else if (types.isMap(value))
    for (const [key, held] of value) {
      yield ["<key>", key];
      yield [`.get(${String(key)})`, held];
    }
  else if (types.isSet(value)) for (const held of value) yield ["<item>", held];
  else if (isPlain(value)) for (const [key, held] of Object.entries(value)) yield [`.${key}`, held];
}

function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === null || Object.getPrototypeOf(proto) === null;
}
