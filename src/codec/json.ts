import { types } from "node:util";
import { KitchenError, messageOf } from "../core/errors.ts";
import type { Codec } from "./codec.ts";
import {
  isMarker,
  isPointer,
  LOOKS_LIKE_POINTER,
  markerOf,
  mayHoldPointers,
  revivedPointers,
} from "./pointers.ts";
import { cannotEncode, isPlainObject, nameOfKind, stepTo } from "./walk.ts";

const NAME = "json";
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * JSON as `JSON.stringify` writes it: `toJSON` is honoured, properties that are `undefined` are left out, instances of
 * classes travel as their fields, and -0 is 0. What it would silently change or drop (functions, NaN, Map, bigint,
 * invalid dates …) is refused, in what `toJSON` gives too. `undefined` itself is no bytes at all.
 */
export const jsonCodec: Codec = {
  name: NAME,

  encode(value: unknown, rootName: string = "value"): Uint8Array {
    if (value === undefined) return new Uint8Array();
    try {
      const text = JSON.stringify(value, judging(rootName)) as string | undefined;
      return text === undefined ? new Uint8Array() : Buffer.from(text);
    } catch (cause) {
      if (cause instanceof KitchenError) throw cause;
      throw cannotEncode(rootName, NAME, messageOf(cause));
    }
  },

  decode(bytes: Uint8Array): unknown {
    if (bytes.length === 0) return undefined;
    try {
      const value: unknown = JSON.parse(decoder.decode(bytes));
      return mayHoldPointers(bytes) ? revivedPointers(value) : value;
    } catch (cause) {
      if (cause instanceof KitchenError) throw cause;
      throw new KitchenError("KS_CANNOT_DECODE", `Not JSON: ${messageOf(cause)}`, { cause });
    }
  },
};

const LOST_AS_EMPTY = [Map, Set, WeakMap, WeakSet, RegExp, Error, ArrayBuffer, Promise, Date];

type Holder = Readonly<Record<string, unknown>>;

/** Refuses what JSON would change, and puts markers in the places of pointers. Sees values as `toJSON` made them. */
function judging(rootName: string): (this: Holder, key: string, value: unknown) => unknown {
  /** Where each object was met last, which is where it is while its fields are looked at. */
  const places = new Map<unknown, readonly [holder: Holder, key: string]>();
  const pathOf = (holder: Holder, key: string): string => {
    const [above, own] = places.get(holder) ?? [];
    return above === undefined || own === undefined
      ? rootName
      : pathOf(above, own) + stepTo(key, Array.isArray(holder));
  };
  return function judged(key, value) {
    const original = this[key];
    const path = (): string => pathOf(this, key);
    if (typeof original === "object" && original !== null && isPointer(original))
      return markerOf(original, path);
    const refusal = refusalOf(value, original, this);
    if (refusal !== undefined) throw cannotEncode(path(), NAME, refusal);
    if (typeof value === "object" && value !== null) places.set(value, [this, key]);
    return value;
  };
}

function refusalOf(value: unknown, original: unknown, holder: Holder): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "undefined":
      return Array.isArray(holder) ? "it is undefined, which JSON turns into null" : undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `JSON has no ${value}; use the codec "structured"`;
    case "object":
      if (value !== null) return refusalOfObject(value);
      return types.isDate(original)
        ? 'it is an invalid date, which JSON turns into null; use the codec "structured"'
        : undefined;
    default:
      return cannotExpress(value);
  }
}

function refusalOfObject(value: object): string | undefined {
  if (isMarker(value)) return LOOKS_LIKE_POINTER;
  const isLost =
    !Array.isArray(value) &&
    !isPlainObject(value) &&
    (ArrayBuffer.isView(value) || LOST_AS_EMPTY.some((kind) => value instanceof kind));
  return isLost ? cannotExpress(value) : undefined;
}

function cannotExpress(value: unknown): string {
  return `it is ${nameOfKind(value)}, which JSON cannot express; use the codec "structured" or "closure"`;
}
