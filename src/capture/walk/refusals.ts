import { types } from "node:util";
import { knownPath } from "../resolve/known.ts";
import { modulePart } from "../resolve/modules.ts";
import { isDetached } from "../wire/plain.ts";
import { surroundingsOf, urlOf } from "../scopes/scopes.ts";

export interface Refusal {
  readonly what: string;
  readonly wayOut: string;
}

/** Who meets one of these has seldom written it. */
const COMPILED = "a compiler makes one of private names, unless it compiles for ES2022 or later";
const LIVE = "open it inside the function instead";

/** Why an object cannot mean the same in another process; undefined when it can. */
export function reasonToRefuse(value: object): Refusal | undefined {
  return ofKind(value) ?? ofPrototypes(value);
}

function ofKind(value: object): Refusal | undefined {
  if (types.isPromise(value))
    return { what: "a Promise cannot travel", wayOut: "await it first and use its value" };
  if (types.isWeakMap(value))
    return {
      what: "a WeakMap cannot be read",
      wayOut: `use a Map, or make it inside the function; ${COMPILED}`,
    };
  if (types.isWeakSet(value))
    return {
      what: "a WeakSet cannot be read",
      wayOut: `use a Set, or make it inside the function; ${COMPILED}`,
    };
  if (types.isGeneratorObject(value)) {
    return {
      what: "a running generator cannot travel",
      wayOut: "send the generator function, or its items as an array",
    };
  }
  if (types.isSharedArrayBuffer(value)) {
    return { what: "a SharedArrayBuffer cannot leave its process", wayOut: "copy it into an ArrayBuffer" };
  }
  if (types.isExternal(value)) return { what: "a native handle cannot travel", wayOut: LIVE };
  if (isIterator(value))
    return { what: "a running iterator cannot travel", wayOut: "send its items as an array" };
  return ofBuffer(value);
}

function ofBuffer(value: object): Refusal | undefined {
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
  if (types.isSharedArrayBuffer(buffer)) return ofKind(buffer);
  if (!types.isArrayBuffer(buffer)) return undefined;
  const { resizable } = buffer as ArrayBuffer & { resizable?: boolean };
  if (isDetached(buffer)) {
    return {
      what: "a detached ArrayBuffer has lost its bytes",
      wayOut: "capture it before it is transferred",
    };
  }
  return resizable === true
    ? { what: "a resizable ArrayBuffer cannot travel", wayOut: "copy it with slice()" }
    : undefined;
}

function isIterator(value: object): boolean {
  return (
    types.isMapIterator(value) || types.isSetIterator(value) || isRuntimes(inheritedMethod(value, "next"))
  );
}

/** Found without reading properties, which may be accessors of the user's. */
function inheritedMethod(value: object, name: string): unknown {
  for (let at = Object.getPrototypeOf(value) as object | null; at !== null;) {
    if (types.isProxy(at)) return undefined;
    const descriptor = Reflect.getOwnPropertyDescriptor(at, name);
    if (descriptor !== undefined) return descriptor.value as unknown;
    at = Object.getPrototypeOf(at) as object | null;
  }
  return undefined;
}

/** Whether a function is of the language or of Node. */
function isRuntimes(fn: unknown): boolean {
  if (typeof fn !== "function" || types.isProxy(fn)) return false;
  const isNative = /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn));
  return isNative || urlOf(surroundingsOf(fn)).startsWith("node:");
}

/** Classes of Node whose objects are what their properties say. */
const OPEN_CLASSES = new Set([
  "Object",
  "Function",
  "Array",
  "Map",
  "Set",
  "Date",
  "RegExp",
  "Error",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
  "AggregateError",
  "Number",
  "String",
  "Boolean",
  "BigInt",
  "Symbol",
  "ArrayBuffer",
  "DataView",
  "EventEmitter",
  "AssertionError",
  "Buffer",
  "Stats",
  "StatsBase",
  "Dirent",
  "Url",
]);

const STATEFUL_MODULES =
  /^node:(net|tls|http|https|http2|dgram|child_process|cluster|worker_threads|fs|fs\/promises|stream|stream\/web|zlib|crypto|readline|readline\/promises|tty|repl|inspector|vm|async_hooks|perf_hooks|diagnostics_channel|v8|sqlite)$/;

function ofPrototypes(value: object): Refusal | undefined {
  for (
    let proto = Object.getPrototypeOf(value) as object | null;
    proto !== null;
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    const owner = Reflect.getOwnPropertyDescriptor(proto, "constructor")?.value as unknown;
    const name = typeof owner === "function" ? owner.name : "";
    if (name === "" || OPEN_CLASSES.has(name) || name.endsWith("Array")) continue;
    const part = typeof owner === "function" ? modulePart(owner) : undefined;
    const isBuiltin = part !== undefined && "id" in part;
    if (isBuiltin && STATEFUL_MODULES.test(part.id))
      return { what: `a live ${name} of ${part.id} belongs to this process`, wayOut: LIVE };
    if (typeof owner === "function" && (isBuiltin || knownPath(owner) !== undefined || isInternal(owner)))
      return {
        what: `${withArticle(name)} has state that cannot be read`,
        wayOut: "make it inside the function",
      };
  }
  return undefined;
}

function withArticle(name: string): string {
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}

const internals = new WeakMap<object, boolean>();

/** A class of Node that no module exports. */
function isInternal(owner: object): boolean {
  const known = internals.get(owner);
  if (known !== undefined) return known;
  const isNodes = modulePart(owner) === undefined && urlOf(surroundingsOf(owner)).startsWith("node:");
  internals.set(owner, isNodes);
  return isNodes;
}
