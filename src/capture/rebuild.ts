import { promisify } from "node:util";
import { KitchenError } from "../core/errors.ts";
import { compileUnit, type CompiledUnit, type MadeScope } from "./compile.ts";
import { Homecoming } from "./homecoming.ts";
import { FunctionMaker } from "./make-function.ts";
import { knownValue } from "./known.ts";
import {
  builtinNamespace,
  builtinPart,
  packageNamespace,
  packageValue,
  workerRequire,
} from "./references.ts";
import { isOwnClass } from "./origins.ts";
import { sharedValue } from "./shared.ts";
import { makeStamped, setPrivateFields, stamp } from "./stamping.ts";
import {
  cannotDecode,
  type Extras,
  type FunctionNode,
  type Node,
  type PrivateRecord,
  type PropertyRecord,
  type ProtoSlot,
  type ScopeNode,
  type Slot,
  type Table,
} from "./wire.ts";

/**
 * Makes the values of one table. Each is made empty when it is first referred to and filled afterwards from a list, so
 * that cycles close and depth is no limit.
 */
export class Rebuild {
  readonly #table: Table;
  readonly #units: CompiledUnit[] = [];
  readonly #unitBytes: (hash: string) => Uint8Array;
  readonly #values: unknown[] = [];
  readonly #isMade: boolean[] = [];
  readonly #toFill: number[] = [];
  readonly #scopes = new Map<number, MadeScope>();
  readonly #functions: FunctionMaker;
  readonly home: Homecoming;

  constructor(table: Table, unitBytes: (hash: string) => Uint8Array) {
    this.#table = table;
    this.#unitBytes = unitBytes;
    this.#functions = new FunctionMaker(this);
    this.home = new Homecoming(table, (klass) => this.#functions.embeddedIn(klass));
  }

  run(): unknown {
    try {
      return this.home.during(() => this.#run());
    } catch (cause) {
      if (cause instanceof KitchenError) throw cause;
      throw cannotDecode(cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  #run(): unknown {
    const root = this.value(this.#table.root);
    for (let id = this.#toFill.pop(); id !== undefined; id = this.#toFill.pop())
      this.#fill(id, this.#table.nodes[id] as Node);
    return root;
  }

  /** What a slot refers to, made when it was not yet. */
  value(slot: Slot): unknown {
    if (typeof slot !== "object" || slot === null) return slot;
    const [id, data] = slot;
    return id === null ? data : this.#made(id);
  }

  unit(index: number): CompiledUnit {
    const known = this.#units[index];
    if (known !== undefined) return known;
    const hash = this.#table.units[index];
    if (hash === undefined) throw cannotDecode("it refers to code that it does not name");
    return (this.#units[index] = compileUnit(hash, this.#unitBytes));
  }

  /** The instance of a shared scope, made within that around it when it was not yet. */
  scope(index: number): MadeScope {
    const known = this.#scopes.get(index);
    if (known !== undefined) return known;
    const node = this.scopeNode(index);
    const make = node.child < 0 ? this.unit(node.unit).scope : this.scope(node.parent)[2][node.child];
    if (make === undefined) throw cannotDecode("a scope has no code");
    const made = make();
    this.#scopes.set(index, made);
    this.#functions.putLater(made[0], node.values);
    return made;
  }

  functionNode(slot: Slot): FunctionNode {
    const node = typeof slot === "object" && slot !== null ? this.#table.nodes[slot[0] ?? -1] : undefined;
    if (node?.[0] !== "function") throw cannotDecode("it takes for a function what is none");
    return node[1];
  }

  scopeNode(index: number): ScopeNode {
    const node = this.#table.scopes[index];
    if (node === undefined) throw cannotDecode("it refers to a scope that it does not hold");
    return node;
  }

  define(target: object, properties: readonly PropertyRecord[]): void {
    for (const [key, flags, value, setter] of properties) {
      const descriptor: PropertyDescriptor = {
        enumerable: (flags & 1) !== 0,
        configurable: (flags & 2) !== 0,
      };
      if ((flags & 8) === 0)
        Object.assign(descriptor, { value: this.value(value), writable: (flags & 4) !== 0 });
      else Object.assign(descriptor, { get: this.value(value), set: this.value(setter) });
      Object.defineProperty(target, this.value(key) as string | symbol, descriptor);
    }
  }

  extend(target: object, [proto, properties, isSealed]: Extras): void {
    if (proto !== 0) setProto(target, this.value(proto));
    this.define(target, properties);
    if (isSealed) Object.preventExtensions(target);
  }

  #made(id: number): unknown {
    if (this.#isMade[id] === true) return this.#values[id];
    const node = this.#table.nodes[id];
    if (node === undefined) throw cannotDecode("it refers to a value that it does not hold");
    const value = this.#make(node);
    // Making it may have made it already, by way of what it depends on.
    if (id in this.#values) return this.#values[id];
    this.#isMade[id] = true;
    this.#values[id] = value;
    this.#toFill.push(id);
    return value;
  }

  #make(node: Node): unknown {
    switch (node[0]) {
      case "symbol":
        return Symbol(node[1]);
      case "symbolFor":
        return symbolOf(node[1]);
      case "known":
        return knownValue(node[1]);
      case "shared":
        return sharedValue(node[1]);
      case "builtin":
        return builtinPart(node[1], node[2]);
      case "builtinNamespace":
        return builtinNamespace(node[1]);
      case "package":
        return packageValue(node[1], node[2]);
      case "packageNamespace":
        return packageNamespace(node[1]);
      case "namespace":
        return Object.defineProperty(Object.create(null) as object, Symbol.toStringTag, { value: "Module" });
      case "require":
        return workerRequire();
      case "record":
        return {};
      case "list":
        return [];
      case "function":
        return this.#functions.make(node[1]);
      case "member":
        return this.#member(node);
      case "prototypeOf":
        return (this.value(node[1]) as { prototype: unknown }).prototype;
      default:
        return this.#makeObject(node);
    }
  }

  #makeObject(node: Node): unknown {
    switch (node[0]) {
      case "object":
        return this.#stamped(node[2]) ?? this.#bare(node[1][0]);
      case "array":
        return this.#shell([], node[2], node[3]);
      case "date":
        return this.#shell(new Date(node[1]), node[2], node[3]);
      case "regexp":
        return this.#shell(new RegExp(node[1], node[2]), node[3], node[4]);
      case "map":
        return this.#shell(new Map(), node[2], node[3]);
      case "set":
        return this.#shell(new Set(), node[2], node[3]);
      case "error":
        return this.#shell(emptyError(), node[1], node[2]);
      case "boxed":
        return this.#shell(Object(this.value(node[1])) as object, node[2], node[3]);
      case "view":
        return this.#shell(node[1], node[2], node[3]);
      default:
        return this.#makeHost(node);
    }
  }

  #makeHost(node: Node): unknown {
    switch (node[0]) {
      case "buffer":
        return Buffer.from(node[1].buffer, node[1].byteOffset, node[1].length);
      case "url":
        return new URL(node[1]);
      case "searchParams":
        return new URLSearchParams(node[1]);
      case "weakRef":
        return new WeakRef((this.value(node[1]) as object | undefined) ?? {});
      case "proxy":
        return new Proxy(this.value(node[1]) as object, this.value(node[2]) as object);
      case "bound":
        return Reflect.apply(bind, this.value(node[1]), [
          this.value(node[2]),
          ...node[3].map((slot) => this.value(slot)),
        ]);
      case "promisified":
        return promisify(this.value(node[1]) as () => void);
      case "arguments":
        return argumentsOf(...node[1].map((slot) => this.value(slot)));
      default:
        throw cannotDecode("it holds a kind of value that this version does not know");
    }
  }

  #bare(proto: ProtoSlot): object {
    return proto === 0 ? {} : (Object.create(this.value(proto) as object | null) as object);
  }

  /** An object that already is what it is by its kind, with the private names of its classes. */
  #shell(object: object, [proto]: Extras, privates: readonly PrivateRecord[] | null): object {
    for (const [owner] of privates ?? []) this.#stamp(this.value(owner) as object, object);
    if (privates !== null) clear(object);
    if (proto !== 0) setProto(object, this.value(proto));
    return object;
  }

  #stamped(privates: readonly PrivateRecord[] | null): object | undefined {
    let object: object | undefined;
    for (const [owner] of privates ?? []) {
      const klass = this.value(owner) as object;
      const isBase = this.#isBase(klass);
      if (object === undefined) object = isBase ? this.#makeStamped(klass) : {};
      if (!isBase) this.#stamp(klass, object);
    }
    if (object !== undefined) clear(object);
    return object;
  }

  #isBase(klass: object): boolean {
    const own = this.home.instancesOf(klass);
    return own === undefined ? isBaseClass(klass) : !own.isDerived;
  }

  #makeStamped(klass: object): object {
    return this.home.instancesOf(klass)?.make() ?? makeStamped(klass);
  }

  #stamp(klass: object, target: object): void {
    const own = this.home.instancesOf(klass);
    if (own === undefined) stamp(klass, target);
    else own.stamp(target);
  }

  #member([, owner, isStatic, key, part]: Extract<Node, readonly ["member", ...unknown[]]>): unknown {
    const klass = this.value(owner) as { prototype: object };
    const holder = isStatic ? klass : klass.prototype;
    return Reflect.getOwnPropertyDescriptor(holder, this.value(key) as string | symbol)?.[part] as unknown;
  }

  #fill(id: number, node: Node): void {
    const value = this.#values[id] as object;
    switch (node[0]) {
      case "record":
        return node[1].forEach((key, index) => setOwn(value, key, this.value(node[2][index])));
      case "list":
        return node[1].forEach((slot, index) => ((value as unknown[])[index] = this.value(slot)));
      case "namespace":
        node[1].forEach((key, index) => setOwn(value, key, this.value(node[2][index])));
        return;
      case "function":
        return this.#functions.fill(value, node[1]);
      case "object":
        return this.#finish(value, node[1], node[2]);
      case "array":
        (value as unknown[]).length = node[1];
        return this.#finish(value, node[2], node[3]);
      case "date":
      case "set":
      case "map":
      case "boxed":
      case "view":
        this.#fillItems(value, node);
        return this.#finish(value, node[2], node[3]);
      case "regexp":
        return this.#finish(value, node[3], node[4]);
      case "error":
        return this.#finish(value, node[1], node[2]);
      case "bound":
        return this.extend(value, node[4]);
      case "arguments":
        return this.extend(value, node[2]);
      case "prototypeOf":
        if (!isOwnClass(this.value(node[1]) as object)) this.extend(value, node[2]);
        return;
    }
  }

  #fillItems(value: object, node: Node): void {
    if (node[0] === "map") {
      for (let index = 0; index < node[1].length; index += 2) {
        Map.prototype.set.call(value, this.value(node[1][index]), this.value(node[1][index + 1]));
      }
    }
    if (node[0] === "set") for (const slot of node[1]) Set.prototype.add.call(value, this.value(slot));
  }

  #finish(
    value: object,
    [proto, properties, isSealed]: Extras,
    privates: readonly PrivateRecord[] | null,
  ): void {
    if (privates !== null && proto !== 0) setProto(value, this.value(proto));
    this.define(value, properties);
    if (isSealed) Object.preventExtensions(value);
    for (const [owner, slots] of privates ?? []) {
      const klass = this.value(owner) as object;
      const values = slots.map((slot) => this.value(slot));
      const own = this.home.instancesOf(klass);
      if (own === undefined) setPrivateFields(klass, value, values);
      else own.setFields(value, values);
    }
  }
}

const { bind } = Function.prototype;

function setProto(target: object, proto: unknown): void {
  if (Object.getPrototypeOf(target) !== proto) Object.setPrototypeOf(target, proto as object | null);
}

/** Plain assignment would call the setter that every object inherits under this name. */
function setOwn(target: object, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else (target as Record<string, unknown>)[key] = value;
}

/** Public fields of the classes are among the properties that come with the object. */
function clear(object: object): void {
  for (const key of Reflect.ownKeys(object))
    if (Reflect.getOwnPropertyDescriptor(object, key)?.configurable === true)
      Reflect.deleteProperty(object, key);
}

function isBaseClass(klass: object): boolean {
  return Object.getPrototypeOf(klass) === Function.prototype;
}

function emptyError(): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  delete error.stack;
  return error;
}

function argumentsOf(..._values: unknown[]): IArguments {
  // oxlint-disable-next-line prefer-rest-params -- the object itself is wanted
  return arguments;
}

function symbolOf(name: string): symbol {
  const known = name.startsWith("=") ? Symbol.for(name.slice(1)) : (Reflect.get(Symbol, name) as unknown);
  if (typeof known !== "symbol") throw cannotDecode(`this version of Node has no Symbol.${name}`);
  return known;
}
