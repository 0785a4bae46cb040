import { KitchenError } from "../core/errors.ts";
import type { Codec } from "./codec.ts";
import {
  isMarker,
  isPointer,
  judgeWithPointers,
  LOOKS_LIKE_POINTER,
  markerOf,
  mayHoldPointers,
  revivedPointers,
} from "./pointers.ts";
import { cannotEncode, isPlainObject, nameOfKind, ownSteps, type Verdict } from "./walk.ts";

const NAME = "json";
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * JSON as `JSON.stringify` writes it: `toJSON` is honoured, properties that are `undefined` are left out, and instances
 * of classes travel as their fields. What it would silently change or drop (functions, NaN, Map, bigint …) is refused.
 * `undefined` itself is no bytes at all.
 */
export const jsonCodec: Codec = {
  name: NAME,

  encode(value: unknown, rootName: string = "value"): Uint8Array {
    if (value === undefined) return new Uint8Array();
    const holdsPointers = judgeWithPointers(value, { rootName, codecName: NAME }, judge);
    try {
      return Buffer.from(holdsPointers ? JSON.stringify(value, asMarker) : JSON.stringify(value));
    } catch (cause) {
      // The walk cannot see cycles through what toJSON makes.
      throw cannotEncode(rootName, NAME, cause instanceof Error ? cause.message : String(cause));
    }
  },

  decode(bytes: Uint8Array): unknown {
    if (bytes.length === 0) return undefined;
    try {
      const value: unknown = JSON.parse(decoder.decode(bytes));
      return mayHoldPointers(bytes) ? revivedPointers(value) : value;
    } catch (cause) {
      if (cause instanceof KitchenError) throw cause;
      throw new KitchenError(
        "KS_CANNOT_DECODE",
        `Not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  },
};

const LOST_AS_EMPTY = [Map, Set, WeakMap, WeakSet, RegExp, Error, ArrayBuffer, Promise];

/** `value` is what toJSON made; the object itself is still in its holder. */
function asMarker(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const original = this[key];
  return typeof original === "object" && original !== null && isPointer(original)
    ? markerOf(original, () => key)
    : value;
}

function judge(value: unknown): Verdict {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return [];
    case "number":
      return Number.isFinite(value) ? [] : { refusal: `JSON has no ${value}; use the codec "structured"` };
    case "object":
      return value === null ? [] : judgeObject(value);
    default:
      return {
        refusal: `it is ${nameOfKind(value)}, which JSON cannot express; use the codec "structured" or "closure"`,
      };
  }
}

function judgeObject(value: object): Verdict {
  if ("toJSON" in value && typeof value.toJSON === "function") return [];
  if (isMarker(value)) return { refusal: LOOKS_LIKE_POINTER };
  if (Array.isArray(value)) {
    const hole = Array.from(value).indexOf(undefined);
    return hole < 0
      ? ownSteps(value)
      : { refusal: `its element ${hole} is undefined, which JSON turns into null` };
  }
  const isLost =
    !isPlainObject(value) &&
    (ArrayBuffer.isView(value) || LOST_AS_EMPTY.some((kind) => value instanceof kind));
  return isLost
    ? {
        refusal: `it is ${nameOfKind(value)}, which JSON cannot express; use the codec "structured" or "closure"`,
      }
    : ownSteps(value);
}
