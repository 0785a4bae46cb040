import { hasOnlyElements } from "../walk/elements.ts";
import { types } from "node:util";
import { Packr } from "msgpackr/pack";
import { msgpackFault } from "../../core/msgpack-shape.ts";
import { cannotDecode, deserialize, serialize, TAG } from "./wire.ts";

/** What the cheapest format is that keeps a value exactly. */
export type Fidelity = "msgpack" | "v8" | "table";

const packr = new Packr({ useRecords: false });
const MAX_DEPTH = 200;
/** What {@link encodePlain} writes; a graph is as large as its sender's memory has room for. */
const DATA = { maps: true, bytes: false, undefined: true, maxDepth: 1_000, maxValues: Infinity };

/** Encodes data that needs no table, or says with `undefined` that it does. */
export function encodePlain(value: unknown): Uint8Array | undefined {
  const fidelity = fidelityOf(value);
  return fidelity === "table" ? undefined : encodeAs(fidelity, value);
}

/** As {@link encodePlain}, of a value whose fidelity is known. */
export function encodeAs(fidelity: "msgpack" | "v8", value: unknown): Uint8Array {
  if (fidelity === "v8") return serialize(TAG.v8, value);
  const packed = packr.pack(value);
  const bytes = Buffer.allocUnsafe(packed.length + 1);
  bytes[0] = TAG.msgpack;
  bytes.set(packed, 1);
  return bytes;
}

/** @throws KitchenError `KS_CANNOT_DECODE` on anything but what {@link encodePlain} writes. */
export function decodePlain(bytes: Uint8Array): unknown {
  if (bytes[0] === TAG.v8) return deserialize(bytes);
  if (msgpackFault(DATA, bytes, 1) !== undefined)
    throw cannotDecode("the bytes are damaged or were not written by capture");
  noteDecoded(bytes.length);
  try {
    return packr.unpack(bytes.subarray(1)) as unknown;
  } catch (cause) {
    throw cannotDecode("the bytes are damaged", cause);
  }
}

/**
 * msgpackr with its addon reads texts a third faster, and takes 8 ms and 4 MB to load: as much as it has saved by then. It is
 * there where somebody installed `msgpackr-extract`.
 */
const ADDON_PAYS_BYTES = 4 * 1024 * 1024;
let decodedBytes = 0;

function noteDecoded(bytes: number): void {
  const before = decodedBytes;
  decodedBytes += bytes;
  // It makes what is loaded already faster. Where there is none for the platform, all goes on as it was.
  if (before < ADDON_PAYS_BYTES && decodedBytes >= ADDON_PAYS_BYTES) import("msgpackr").catch(() => {});
}

/**
 * The strict scan: it reads descriptors, so that no getter runs and nothing that a format would flatten silently
 * gets through.
 *
 * @param seen filled with every object of the value when given
 */
export function fidelityOf(value: unknown, seen?: Set<object>): Fidelity {
  if (typeof value !== "object" || value === null) return primitiveFidelity(value);
  return new Scan(seen).run(value);
}

/** UTF-8 has no place for half a surrogate pair. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

export function primitiveFidelity(value: unknown): Fidelity {
  switch (typeof value) {
    case "string":
      return isWellFormed(value) ? "msgpack" : "v8";
    case "number":
      return value === 0 && Object.is(value, -0) ? "v8" : "msgpack";
    case "bigint":
      return "v8";
    case "symbol":
    case "function":
      return "table";
    default:
      return "msgpack";
  }
}

class Scan {
  #simple = true;
  #first: object | undefined;
  #seen: Set<object> | undefined;

  constructor(seen: Set<object> | undefined) {
    this.#seen = seen;
  }

  run(root: object): Fidelity {
    if (!this.#object(root, 0)) return "table";
    return this.#simple ? "msgpack" : "v8";
  }

  #value(value: unknown, depth: number): boolean {
    if (typeof value === "object" && value !== null) return this.#object(value, depth);
    const fidelity = primitiveFidelity(value);
    if (fidelity === "v8") this.#simple = false;
    return fidelity !== "table";
  }

  /** True when the object was met before; a repeated one needs a format that keeps identity. */
  #again(value: object): boolean {
    if (this.#seen === undefined) {
      if (this.#first === undefined) {
        this.#first = value;
        return false;
      }
      this.#seen = new Set([this.#first]);
    }
    if (this.#seen.has(value)) {
      this.#simple = false;
      return true;
    }
    this.#seen.add(value);
    return false;
  }

  #object(value: object, depth: number): boolean {
    if (this.#again(value)) return true;
    if (depth > MAX_DEPTH || types.isProxy(value) || !Object.isExtensible(value)) return false;
    const proto: unknown = Object.getPrototypeOf(value);
    if (proto === Array.prototype) return Array.isArray(value) && this.#array(value, depth);
    // Only an object without inner state is what its properties say it is.
    if (proto === Object.prototype) return this.#record(value, depth);
    this.#simple = false;
    return this.#special(value, proto, depth);
  }

  #array(value: readonly unknown[], depth: number): boolean {
    const { length } = value;
    const keys = Reflect.ownKeys(value);
    if (keys.length !== length + 1) this.#simple = false;
    // Elements come before every other key, and "length" is the first of those.
    if (keys.at(-1) !== "length") return false;
    for (let index = 0; index < keys.length - 1; index++) {
      const descriptor = Reflect.getOwnPropertyDescriptor(value, keys[index] as string);
      if (!isDefault(descriptor) || !this.#value(descriptor.value, depth + 1)) return false;
    }
    return Object.getOwnPropertyDescriptor(value, "length")?.writable === true;
  }

  #record(value: object, depth: number): boolean {
    // Together these two take a third of the time of Reflect.ownKeys.
    const keys = Object.getOwnPropertyNames(value);
    if (Object.getOwnPropertySymbols(value).length > 0 || hasInnerState(value, keys.length)) return false;
    for (const key of keys) {
      if (key === "__proto__" || !isWellFormed(key)) this.#simple = false;
      const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
      if (!isDefault(descriptor) || !this.#value(descriptor.value, depth + 1)) return false;
    }
    return true;
  }

  #special(value: object, proto: unknown, depth: number): boolean {
    if (proto === Date.prototype) return types.isDate(value) && hasNoKeys(value);
    if (proto === Map.prototype) return types.isMap(value) && hasNoKeys(value) && this.#map(value, depth);
    if (proto === Set.prototype) return types.isSet(value) && hasNoKeys(value) && this.#set(value, depth);
    if (proto === ArrayBuffer.prototype)
      return types.isArrayBuffer(value) && hasNoKeys(value) && isFixed(value);
    if (VIEWS.has(proto as object)) return this.#view(value as ArrayBufferView, depth);
    return false;
  }

  #map(value: ReadonlyMap<unknown, unknown>, depth: number): boolean {
    for (const [key, item] of Map.prototype.entries.call(value) as Iterable<[unknown, unknown]>) {
      if (!this.#value(key, depth + 1) || !this.#value(item, depth + 1)) return false;
    }
    return true;
  }

  #set(value: ReadonlySet<unknown>, depth: number): boolean {
    for (const item of Set.prototype.values.call(value) as Iterable<unknown>) {
      if (!this.#value(item, depth + 1)) return false;
    }
    return true;
  }

  #view(value: ArrayBufferView, depth: number): boolean {
    if (!ArrayBuffer.isView(value)) return false;
    return hasOnlyElements(value) && this.#object(value.buffer, depth + 1);
  }
}

const VIEWS: ReadonlySet<object> = new Set([
  Int8Array.prototype,
  Uint8Array.prototype,
  Uint8ClampedArray.prototype,
  Int16Array.prototype,
  Uint16Array.prototype,
  Int32Array.prototype,
  Uint32Array.prototype,
  Float32Array.prototype,
  Float64Array.prototype,
  BigInt64Array.prototype,
  BigUint64Array.prototype,
  DataView.prototype,
]);

type DefaultDescriptor = PropertyDescriptor & { value: unknown };

function isDefault(descriptor: PropertyDescriptor | undefined): descriptor is DefaultDescriptor {
  return (
    descriptor !== undefined &&
    descriptor.enumerable === true &&
    descriptor.writable === true &&
    descriptor.configurable === true
  );
}

function hasNoKeys(value: object): boolean {
  return Reflect.ownKeys(value).length === 0;
}

/** A resizable or detached buffer is not what its bytes say. */
function isFixed(value: ArrayBuffer): boolean {
  return (value as ArrayBuffer & { resizable?: boolean }).resizable !== true && !isDetached(value);
}

export function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false;
  // Node 20 has no property that tells.
  try {
    return new Uint8Array(buffer).length > 0;
  } catch {
    return true;
  }
}

/**
 * An object whose prototype was exchanged for the plain one still is what it was made as. What hides even its tag, a
 * Map for one, has no properties either.
 */
function hasInnerState(value: object, keyCount: number): boolean {
  if (Object.prototype.toString.call(value) !== "[object Object]") return true;
  return keyCount === 0 && INNER_STATE.some((has) => has(value));
}

const INNER_STATE: readonly ((value: unknown) => boolean)[] = [
  ArrayBuffer.isView,
  types.isAnyArrayBuffer,
  types.isBoxedPrimitive,
  types.isMap,
  types.isSet,
  types.isPromise,
  types.isWeakMap,
  types.isWeakSet,
  types.isGeneratorObject,
  types.isExternal,
];
