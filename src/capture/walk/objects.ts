import { hasOnlyElements } from "./elements.ts";
import { types } from "node:util";
import { analyse } from "../source/analyse.ts";
import { isClassFunction, sourceOf } from "../source/class-text.ts";
import { claimedKeys } from "./classes.ts";
import { privatesOf } from "./privates.ts";
import { extrasOf, isUsualConstructor, usualParent } from "./extras.ts";
import { standardStreamPath } from "../resolve/known.ts";
import { labelOf } from "./labels.ts";
import { follow, modulePart, packagePart } from "../resolve/modules.ts";
import { reasonToRefuse } from "./refusals.ts";
import { surroundingsOf, urlOf } from "../scopes/scopes.ts";
import { encodeProxy } from "./proxies.ts";
import { ownerOfPrototype, referenceTo } from "../resolve/reference-to.ts";
import type { Walk } from "./walk.ts";
import type { Extras, Node, Slot } from "../wire/wire.ts";

/** The node of an object: first what every process has by itself, then what has to be made. */
export function encodeObject(walk: Walk, value: object): Node {
  const shared = referenceTo(value) ?? walk.sourceNode(value);
  if (shared !== undefined) return shared;
  if (types.isModuleNamespaceObject(value)) return encodeNamespace(walk, value);
  if (types.isProxy(value)) return encodeProxy(walk, value);
  const owner = walk.ownerOf(value) ?? ownerOfPrototype(value);
  if (owner !== undefined) return encodePrototype(walk, value, owner);
  const host = encodeHostObject(walk, value);
  if (host !== undefined) return host;
  const stream = standardStreamPath(value);
  if (stream !== undefined) return ["known", stream];
  const refusal = reasonToRefuse(value);
  if (refusal !== undefined) walk.refuse(refusal.what, refusal.wayOut);
  return encodeList(walk, value) ?? encodeRecord(walk, value) ?? encodeKind(walk, value);
}

function encodePrototype(walk: Walk, value: object, owner: object): Node {
  const ownerSlot = walk.slot(owner, ".constructor");
  // A class of a module that goes as source has its members there.
  if (walk.sourceNode(owner) !== undefined) return ["prototypeOf", ownerSlot, [0, [], false]];
  return ["prototypeOf", ownerSlot, prototypeExtras(walk, owner, value)];
}

/** Members that the text of the class or function makes by itself are left out. */
function prototypeExtras(walk: Walk, owner: object, value: object): Extras {
  const isClass = isClassFunction(owner);
  const claimed = isClass ? claimedKeys(walk, owner).members : undefined;
  const isSkipped = (key: string | symbol): boolean =>
    claimed?.has(key) === true || (key === "constructor" && isUsualConstructor(value, owner));
  return extrasOf(walk, value, usualParent(owner, isClass), isSkipped);
}

function encodeNamespace(walk: Walk, namespace: object): Node {
  const inner = Reflect.get(namespace, "default") as unknown;
  if (typeof inner === "object" || typeof inner === "function") {
    const part = inner === null ? undefined : modulePart(inner);
    if (part?.path.length === 0)
      return "id" in part ? ["builtinNamespace", part.id] : ["packageNamespace", part.reference];
  }
  const found = packageNamespace(namespace);
  if (found !== undefined) return found;
  walk.noteNamespace(namespace);
  const names = Object.keys(namespace);
  return ["namespace", names, names.map((name) => walk.slot(Reflect.get(namespace, name), labelOf(name)))];
}

/** The package whose namespace this is, found by where one of its functions was written. */
function packageNamespace(namespace: object): Node | undefined {
  for (const value of Object.values(namespace)) {
    if (typeof value !== "function" || referenceTo(value) !== undefined) continue;
    const part = packagePart(value, urlOf(surroundingsOf(value)));
    if (part === undefined) return undefined;
    break;
  }
  const part = modulePart(namespace);
  return part !== undefined && "reference" in part && follow(namespace, part.path) === namespace
    ? ["packageNamespace", part.reference]
    : undefined;
}

/** An array like any other: values only. */
function encodeList(walk: Walk, value: object): Node | undefined {
  if (
    !Array.isArray(value) ||
    Object.getPrototypeOf(value) !== Array.prototype ||
    !Object.isExtensible(value)
  )
    return undefined;
  const keys = Reflect.ownKeys(value);
  if (
    keys.length !== value.length + 1 ||
    Reflect.getOwnPropertyDescriptor(value, "length")?.writable !== true
  )
    return undefined;
  if (keys.some((key, index) => index < value.length && !isDefault(value, key))) return undefined;
  return ["list", value.map((item, index) => walk.slot(item, `[${index}]`))];
}

/** An object literal like any other: strings and values only. */
function encodeRecord(walk: Walk, value: object): Node | undefined {
  if (
    Object.getPrototypeOf(value) !== Object.prototype ||
    !Object.isExtensible(value) ||
    kindOf(value) !== "object"
  )
    return undefined;
  const keys = Reflect.ownKeys(value);
  if (keys.some((key) => typeof key === "symbol" || !isDefault(value, key))) return undefined;
  const names = keys as string[];
  return ["record", names, names.map((name) => walk.slot(Reflect.get(value, name), labelOf(name)))];
}

function isDefault(value: object, key: string | symbol): boolean {
  const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
  return descriptor?.writable === true && descriptor.enumerable === true && descriptor.configurable === true;
}

type Kind = "object" | "array" | "date" | "regexp" | "map" | "set" | "error" | "boxed" | "view" | "arguments";

function kindOf(value: object): Kind {
  if (Array.isArray(value)) return "array";
  if (ArrayBuffer.isView(value) || types.isArrayBuffer(value)) return "view";
  if (types.isDate(value)) return "date";
  if (types.isRegExp(value)) return "regexp";
  if (types.isMap(value)) return "map";
  if (types.isSet(value)) return "set";
  if (types.isNativeError(value)) return "error";
  if (types.isBoxedPrimitive(value)) return "boxed";
  return types.isArgumentsObject(value) ? "arguments" : "object";
}

function encodeKind(walk: Walk, value: object): Node {
  const kind = kindOf(value);
  switch (kind) {
    case "array": {
      const { length } = value as unknown[];
      const extras = extrasOf(walk, value, Array.prototype, (key) => key === "length");
      return ["array", length, lengthFixed(value, extras), privatesOf(walk, value)];
    }
    case "date":
      return [
        "date",
        Date.prototype.getTime.call(value),
        extrasOf(walk, value, Date.prototype),
        privatesOf(walk, value),
      ];
    case "regexp": {
      const { source, flags } = value as RegExp;
      return ["regexp", source, flags, extrasOf(walk, value, RegExp.prototype), privatesOf(walk, value)];
    }
    case "map":
      return ["map", entriesOf(walk, value), extrasOf(walk, value, Map.prototype), privatesOf(walk, value)];
    case "set":
      return ["set", itemsOf(walk, value), extrasOf(walk, value, Set.prototype), privatesOf(walk, value)];
    case "error":
      return ["error", extrasOf(walk, value, Error.prototype), privatesOf(walk, value)];
    case "boxed":
      return [
        "boxed",
        walk.slot(unbox(value), "(value)"),
        extrasOf(walk, value, boxPrototype(value), isTextKey(value)),
        privatesOf(walk, value),
      ];
    case "view":
      return encodeView(walk, value as ArrayBufferView | ArrayBuffer);
    case "arguments":
      return encodeArguments(walk, value);
    case "object":
      walk.notePointer(value);
      return ["object", extrasOf(walk, value, Object.prototype), privatesOf(walk, value)];
  }
}

function encodeArguments(walk: Walk, value: object): Node {
  const callee = Reflect.getOwnPropertyDescriptor(value, "callee")?.value as unknown;
  const isTied = typeof callee === "function" && analyse(sourceOf(callee)).sharesParameters;
  const wayOut = "keep [...arguments] in a variable and use that";
  if (isTied) walk.refuse("an arguments object is tied to parameters that other functions use", wayOut);
  const { length } = value as ArrayLike<unknown>;
  const keys = Reflect.ownKeys(value).filter((key) => typeof key === "string" && /^\d+$/.test(key));
  if (keys.length !== length || !keys.every((key, index) => key === String(index) && isDefault(value, key)))
    walk.refuse("the elements of an arguments object were deleted or defined anew", wayOut);
  const items = Array.from(value as ArrayLike<unknown>, (item, index) => walk.slot(item, `[${index}]`));
  return ["arguments", items, extrasOf(walk, value, Object.prototype, isArgumentsKey)];
}

function isArgumentsKey(key: string | symbol): boolean {
  return (
    key === "length" ||
    key === "callee" ||
    key === Symbol.iterator ||
    (typeof key === "string" && /^\d+$/.test(key))
  );
}

/** Kept as a property record because it is defined last, after the elements. */
function lengthFixed(value: object, extras: Extras): Extras {
  const isWritable = Reflect.getOwnPropertyDescriptor(value, "length")?.writable === true;
  return isWritable
    ? extras
    : [extras[0], [...extras[1], ["length", 0, (value as unknown[]).length]], extras[2]];
}

function entriesOf(walk: Walk, value: object): Slot[] {
  const slots: Slot[] = [];
  for (const [key, item] of Map.prototype.entries.call(value) as Iterable<[unknown, unknown]>) {
    const name = typeof key === "string" ? JSON.stringify(key) : shortName(key);
    slots.push(walk.slot(key, `(key ${name})`), walk.slot(item, `.get(${name})`));
  }
  return slots;
}

function shortName(key: unknown): string {
  return typeof key === "object" && key !== null ? "…" : String(key);
}

function itemsOf(walk: Walk, value: object): Slot[] {
  return [...(Set.prototype.values.call(value) as Iterable<unknown>)].map((item) =>
    walk.slot(item, "(item of the Set)"),
  );
}

function unbox(value: object): unknown {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value);
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value);
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
  if (types.isBigIntObject(value)) return BigInt.prototype.valueOf.call(value);
  return Symbol.prototype.valueOf.call(value);
}

function boxPrototype(value: object): object {
  return Object.getPrototypeOf(Object(unbox(value))) as object;
}

/** The characters of a boxed string are properties that making it makes. */
function isTextKey(value: object): (key: string | symbol) => boolean {
  return (key) =>
    types.isStringObject(value) && typeof key === "string" && (key === "length" || /^\d+$/.test(key));
}

function encodeView(walk: Walk, value: ArrayBufferView | ArrayBuffer): Node {
  if (Buffer.isBuffer(value) && hasOnlyElements(value)) {
    // Small buffers are cut from a pool that holds unrelated bytes.
    const isPooled = value.buffer.byteLength === Buffer.poolSize && value.length < Buffer.poolSize;
    return [
      "buffer",
      isPooled ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.length),
    ];
  }
  const name = viewName(value);
  const constructor = Reflect.get(globalThis, name) as unknown;
  if (typeof constructor !== "function" || name === "Float16Array") {
    walk.refuse(`a ${name} is not known in every version of Node`, "copy it into a Float32Array");
  }
  const usual = constructor.prototype as object;
  const extras = extrasOf(walk, value, usual, (key) => typeof key === "string" && /^(0|[1-9]\d*)$/.test(key));
  return ["view", plainView(value, constructor), extras, privatesOf(walk, value)];
}

function viewName(value: ArrayBufferView | ArrayBuffer): string {
  if (value instanceof DataView) return "DataView";
  if (!ArrayBuffer.isView(value)) return "ArrayBuffer";
  const tag = Reflect.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype) as object,
    Symbol.toStringTag,
  );
  return (tag?.get?.call(value) as string | undefined) ?? "DataView";
}

/** The same bytes without what the table keeps apart: subclass and own properties. */
function plainView(
  value: ArrayBufferView | ArrayBuffer,
  constructor: unknown,
): ArrayBufferView | ArrayBuffer {
  if (!ArrayBuffer.isView(value)) return value;
  const length = "length" in value ? (value.length as number) : value.byteLength;
  return Reflect.construct(constructor as new () => ArrayBufferView, [
    value.buffer,
    value.byteOffset,
    length,
  ]) as ArrayBufferView;
}

/** Objects of Node whose state is not in their properties, and that can be made again from what they show. */
function encodeHostObject(walk: Walk, value: object): Node | undefined {
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto === DOMException.prototype) return encodeDomException(walk, value);
  if (proto !== URL.prototype && proto !== URLSearchParams.prototype && proto !== WeakRef.prototype)
    return undefined;
  if (Reflect.ownKeys(value).length > 0)
    walk.refuse(
      "an object of Node that was given properties of its own cannot be made again",
      "keep them beside it",
    );
  try {
    if (proto === URL.prototype) return ["url", (value as URL).href];
    if (proto === URLSearchParams.prototype) return ["searchParams", (value as URLSearchParams).toString()];
    return ["weakRef", walk.slot((value as WeakRef<object>).deref(), ".deref()")];
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const { name } = (proto as { constructor: { name: string } }).constructor;
    return walk.refuse(`it inherits from ${name} and is none`, `make it with new ${name}()`);
  }
}

/** What is thrown where something was aborted, for one. Its accessors throw for anything else. */
function encodeDomException(walk: Walk, value: object): Node {
  try {
    const { message, name } = value as DOMException;
    return ["domException", message, name, extrasOf(walk, value, DOMException.prototype)];
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return walk.refuse("it inherits from DOMException and is none", "make it with new DOMException()");
  }
}
