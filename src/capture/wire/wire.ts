import { Deserializer, Serializer } from "node:v8";
import { KitchenError, messageOf } from "../../core/errors.ts";

/** The first byte of every graph, and of a bundle: which of the formats below follows. */
export const TAG = { msgpack: 1, v8: 2, table: 3, lone: 4, bundle: 5 } as const;

export type Primitive = undefined | null | boolean | number | bigint | string;

/**
 * How a node refers to a value: a primitive stands for itself, `[id]` is another node, and `[null, data]` is data
 * that the serializer of the whole table keeps exactly, shared identity included.
 */
export type Slot = Primitive | readonly [node: number] | readonly [inline: null, data: unknown];

export function isReference(slot: Slot): boolean {
  return typeof slot === "object" && slot !== null && slot[0] !== null;
}

/** What a slot holds that is no reference. */
export function inlined(slot: Slot): unknown {
  return typeof slot === "object" && slot !== null ? slot[1] : slot;
}

/** A property as its descriptor has it: flags are 1 enumerable, 2 configurable, 4 writable, 8 accessor. */
export type PropertyRecord = readonly [key: Slot, flags: number, value: Slot, setter?: Slot];

/** `0`, which no prototype is, stands for the one that such a value has by default. */
export type ProtoSlot = Slot;

/** What every object may have beside its kind: prototype, own properties, and `true` when nothing can be added. */
export type Extras = readonly [proto: ProtoSlot, properties: readonly PropertyRecord[], sealed: boolean];

/** Private fields of an instance, for each class that declares some, base class first. */
export type PrivateRecord = readonly [owner: Slot, values: readonly Slot[]];

export interface FunctionNode {
  /** Index into {@link Table.units}. */
  readonly unit: number;
  /** Index of the scope instance in {@link Table.scopes} that holds its shared variables; -1 without. */
  readonly scope: number;
  /** Index of the function among those of its scope's shape. */
  readonly member: number;
  readonly captures: readonly Slot[];
  readonly properties: readonly PropertyRecord[];
  /** Properties that the text makes and that were deleted: of the function itself, or of its `prototype` object. */
  readonly removed?: readonly (readonly [isOwn: boolean, key: Slot])[];
  readonly sealed: boolean;
  /** The prototype of the function itself, when it is not the usual one. */
  readonly proto: ProtoSlot;
  readonly lexicalThis?: Slot;
  readonly lexicalArguments?: Slot;
  readonly home?: Slot;
  /** The `prototype` object, when it holds more than a new function's would. */
  readonly prototype?: Slot;
  readonly klass?: ClassPart;
  /** The class in whose text the function stands, because it uses private names; `member` then counts there. */
  readonly owner?: Slot;
}

export interface ClassPart {
  /** The class it extends; absent for a base class. */
  readonly parent?: Slot;
  readonly computedKeys: readonly Slot[];
  readonly privateStatics: readonly Slot[];
  /** The caller's own name for the class, so that it gets its own class back. */
  readonly origin: string;
  /** The class was made from a capture and goes elsewhere again, perhaps to where it came from. */
  readonly isReturning: boolean;
}

/** A scope whose variables are shared by several functions: which shape, within which other one, values as of now. */
export interface ScopeNode {
  readonly unit: number;
  /** Index among the children of the parent's shape; -1 for the outermost scope of a unit. */
  readonly child: number;
  readonly parent: number;
  readonly values: readonly Slot[];
}

export type Node =
  | readonly ["symbol", description: string | undefined]
  | readonly ["symbolFor", key: string]
  | readonly ["known", path: string]
  | readonly ["shared", name: string]
  | readonly ["builtin", id: string, path: readonly string[]]
  | readonly ["builtinNamespace", id: string]
  | readonly ["package", reference: PackageReference, path: readonly string[]]
  | readonly ["packageNamespace", reference: PackageReference]
  | readonly ["moduleVariable", unit: number, member: number, name: string]
  | readonly [
      "namespace",
      names: readonly string[],
      values: readonly Slot[],
      getters?: readonly (readonly [name: string, getter: Slot])[],
    ]
  | readonly ["require"]
  | readonly ["record", keys: readonly string[], values: readonly Slot[]]
  | readonly ["list", values: readonly Slot[]]
  | readonly ["object", extras: Extras, privates: readonly PrivateRecord[] | null]
  | readonly ["array", length: number, extras: Extras, privates: readonly PrivateRecord[] | null]
  | readonly ["date", time: number, extras: Extras, privates: readonly PrivateRecord[] | null]
  | readonly [
      "regexp",
      source: string,
      flags: string,
      extras: Extras,
      privates: readonly PrivateRecord[] | null,
    ]
  | readonly ["map", entries: readonly Slot[], extras: Extras, privates: readonly PrivateRecord[] | null]
  | readonly ["set", items: readonly Slot[], extras: Extras, privates: readonly PrivateRecord[] | null]
  | readonly ["error", extras: Extras, privates: readonly PrivateRecord[] | null]
  | readonly ["boxed", value: Slot, extras: Extras, privates: readonly PrivateRecord[] | null]
  | readonly [
      "view",
      data: ArrayBufferView | ArrayBuffer,
      extras: Extras,
      privates: readonly PrivateRecord[] | null,
    ]
  | readonly ["buffer", data: Uint8Array]
  | readonly ["url", href: string]
  | readonly ["searchParams", text: string]
  | readonly ["domException", message: string, name: string, extras: Extras]
  | readonly ["weakRef", target: Slot]
  | readonly ["proxy", target: Slot, handler: Slot]
  | readonly ["bound", target: Slot, self: Slot, values: readonly Slot[], extras: Extras]
  | readonly ["promisified", original: Slot]
  | readonly ["arguments", values: readonly Slot[], extras: Extras]
  | readonly ["prototypeOf", owner: Slot, extras: Extras]
  | readonly ["member", owner: Slot, isStatic: boolean, key: Slot, part: "value" | "get" | "set"]
  | readonly ["function", FunctionNode];

export interface PackageReference {
  readonly name: string;
  readonly version: string;
  /** The file inside the package, `/`-separated. */
  readonly file: string;
}

/** A graph of values: the root, its nodes, the shared scopes, and the hashes of the code it needs. */
export interface Table {
  readonly root: Slot;
  readonly units: readonly string[];
  readonly scopes: readonly ScopeNode[];
  readonly nodes: readonly Node[];
}

/**
 * v8's own format behind one tag byte. The base serializer is used because Node's default one loses shared buffers.
 *
 * @throws KitchenError `KS_CANNOT_CAPTURE` when there is not enough memory, or V8 keeps a state of the value to itself
 */
export function serialize(tag: number, value: unknown): Uint8Array {
  const serializer = new Serializer();
  serializer.writeRawBytes(Uint8Array.of(tag));
  serializer.writeHeader();
  try {
    serializer.writeValue(value);
  } catch (cause) {
    const why = messageOf(cause);
    throw new KitchenError(
      "KS_CANNOT_CAPTURE",
      `Cannot capture the value: V8 cannot write a part of it: ${why} (leave that part out, or send less at once)`,
      { cause },
    );
  }
  return serializer.releaseBuffer();
}

/** @throws KitchenError `KS_CANNOT_DECODE` when the bytes are not what {@link serialize} writes. */
export function deserialize(bytes: Uint8Array): unknown {
  try {
    const deserializer = new Deserializer(bytes.subarray(1));
    deserializer.readHeader();
    return deserializer.readValue() as unknown;
  } catch (cause) {
    throw cannotDecode("the bytes are damaged or were not written by capture", cause);
  }
}

/** @throws KitchenError `KS_CANNOT_DECODE` when the bytes are no table. */
export function decodeTable(bytes: Uint8Array): Table {
  const table = deserialize(bytes) as [Slot, string[], ScopeNode[], Node[]] | null;
  const [root, units, scopes, nodes] = Array.isArray(table) ? table : [];
  const isTable = Array.isArray(scopes) && Array.isArray(units) && Array.isArray(nodes);
  if (!isTable || !scopes.every(isObject) || !nodes.every(isObject)) {
    throw cannotDecode("its table of values is malformed");
  }
  return { root, units, scopes, nodes };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

export function encodeTable({ root, units, scopes, nodes }: Table): Uint8Array {
  return serialize(TAG.table, [root, units, scopes, nodes]);
}

/** A function of which code and plain values are all there is. */
export interface Lone {
  readonly hash: string;
  /** The values of its captured variables, in the order of their names, as a graph of their own; absent without. */
  readonly values: Uint8Array | undefined;
}

const HASH_LENGTH = 43;
const VALUES_AT = 1 + HASH_LENGTH;

export function encodeLone({ hash, values }: Lone): Uint8Array {
  const bytes = Buffer.allocUnsafe(VALUES_AT + (values?.length ?? 0));
  bytes[0] = TAG.lone;
  bytes.write(hash, 1, "latin1");
  if (values !== undefined) bytes.set(values, VALUES_AT);
  return bytes;
}

export function decodeLone(graph: Uint8Array): Lone {
  const bytes = Buffer.isBuffer(graph)
    ? graph
    : Buffer.from(graph.buffer, graph.byteOffset, graph.byteLength);
  return {
    hash: bytes.toString("latin1", 1, VALUES_AT),
    values: bytes.length > VALUES_AT ? bytes.subarray(VALUES_AT) : undefined,
  };
}

/** Tells whether a graph is one function that captures nothing. */
export function isBareCode(graph: Uint8Array): boolean {
  return graph[0] === TAG.lone && graph.length === VALUES_AT;
}

export function cannotDecode(why: string, cause?: unknown): KitchenError {
  return new KitchenError("KS_CANNOT_DECODE", `Cannot revive a value: ${why}`, { cause });
}

/** A graph and the code it needs, in one piece: the tag, the length of the graph, the graph, then each unit with its length. */
export function bundle(graph: Uint8Array, units: readonly { bytes: Uint8Array }[]): Uint8Array {
  const parts = [graph, ...units.map(({ bytes }) => bytes)];
  const out = new Uint8Array(1 + parts.reduce((sum, { length }) => sum + 4 + length, 0));
  out[0] = TAG.bundle;
  const view = new DataView(out.buffer);
  let at = 1;
  for (const part of parts) {
    view.setUint32(at, part.length);
    out.set(part, at + 4);
    at += 4 + part.length;
  }
  return out;
}

/**
 * The parts that {@link bundle} joined, graph first.
 *
 * @throws KitchenError `KS_CANNOT_DECODE`
 */
export function unbundle(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let at = 1;
  while (at < bytes.length) {
    const length = at + 4 > bytes.length ? Infinity : view.getUint32(at);
    if (at + 4 + length > bytes.length) throw cannotDecode("the bytes end too early");
    parts.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parts;
}
