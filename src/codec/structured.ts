import { deserialize, serialize } from "node:v8";
import { types } from "node:util";
import { KitchenError } from "../core/errors.ts";
import type { Codec } from "./codec.ts";
import {
  isMarker,
  judgeWithPointers,
  LOOKS_LIKE_POINTER,
  mayHoldPointers,
  revivedPointers,
  rewrittenPointers,
} from "./pointers.ts";
import { chainLength, isPlainObject, nameOfKind, ownSteps, type Verdict } from "./walk.ts";

const NAME = "structured";

/**
 * Values as the structured clone algorithm copies them: also Map, Set, Date, RegExp, bigint, typed arrays, errors of the
 * built-in classes, cycles. Instances of other classes would arrive without their class, so they are refused.
 */
export const structuredCodec: Codec = {
  name: NAME,

  encode(value: unknown, rootName: string = "value"): Uint8Array {
    const holdsPointers = judgeWithPointers(value, { rootName, codecName: NAME }, judge);
    return serialize(holdsPointers ? rewrittenPointers(value) : value);
  },

  decode(bytes: Uint8Array): unknown {
    try {
      const value: unknown = deserialize(bytes);
      return mayHoldPointers(bytes) ? revivedPointers(value) : value;
    } catch (cause) {
      if (cause instanceof KitchenError) throw cause;
      throw new KitchenError("KS_CANNOT_DECODE", "Not bytes of the codec structured", { cause });
    }
  },
};

const BUILT_IN_ERRORS: readonly unknown[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
].map((kind) => kind.prototype);
const ERROR_KEYS = new Set(["message", "stack", "cause"]);

function judge(value: unknown): Verdict {
  if (typeof value === "function" || typeof value === "symbol")
    return { refusal: `it is ${nameOfKind(value)}; use the codec "closure"` };
  return typeof value === "object" && value !== null ? judgeObject(value) : [];
}

function judgeObject(value: object): Verdict {
  if (Array.isArray(value) || isPlainObject(value))
    return isMarker(value) ? { refusal: LOOKS_LIKE_POINTER } : ownSteps(value);
  if (isSubclass(value))
    return { refusal: `it is ${nameOfKind(value)}, whose class would be lost; use the codec "closure"` };
  if (types.isMap(value))
    return [...value].flatMap(([key, held]) => [
      ["<key>", key] as const,
      [`.get(${String(key)})`, held] as const,
    ]);
  if (types.isSet(value)) return [...value].map((held) => ["<item>", held] as const);
  if (types.isNativeError(value)) return judgeError(value);
  if (types.isDate(value) || types.isRegExp(value) || types.isBoxedPrimitive(value)) return [];
  if (types.isArrayBuffer(value) || ArrayBuffer.isView(value)) return [];
  return { refusal: `it is ${nameOfKind(value)}, whose class would be lost; use the codec "closure"` };
}

function judgeError(error: Error): Verdict {
  if (!BUILT_IN_ERRORS.includes(Object.getPrototypeOf(error)))
    return { refusal: `it is ${nameOfKind(error)}, whose class would be lost; use the codec "closure"` };
  const extra = Object.getOwnPropertyNames(error).find((key) => !ERROR_KEYS.has(key));
  return extra === undefined
    ? [[".cause", error.cause]]
    : {
        refusal: `it is an error with a property of its own, "${extra}", which would be lost; use the codec "closure"`,
      };
}

/** Whether a class of the user's stands between the value and the built-in class that the algorithm knows. */
function isSubclass(value: object): boolean {
  if (types.isNativeError(value)) return false;
  if (!ArrayBuffer.isView(value)) return chainLength(value) > 2;
  return !Buffer.isBuffer(value) && chainLength(value) > (types.isDataView(value) ? 2 : 3);
}
