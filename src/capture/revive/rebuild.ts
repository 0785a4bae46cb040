import { promisify } from "node:util";
import { KitchenError, messageOf } from "../../core/errors.ts";
import { compileUnit, type CompiledUnit, type MadeScope } from "./compile.ts";
import { setOwn, setProto } from "./assign.ts";
import { argumentsOf, emptyError, symbolOf } from "./empty-values.ts";
import { Homecoming } from "../home/homecoming.ts";
import { FunctionMaker } from "./make-function.ts";
import { knownValue } from "../resolve/known.ts";
import {
  builtinNamespace,
  builtinPart,
  packageNamespace,
  packageValue,
  workerRequire,
} from "../resolve/references.ts";
import { loadModule, moduleValue } from "../modules/load-module.ts";
import { packedAs } from "../modules/module-units.ts";
import { isOwnClass } from "../resolve/origins.ts";
import { pointerKindOf } from "../resolve/pointers.ts";
import { ownVariable } from "../modules/own-variables.ts";
import { PrivateNames } from "./private-names.ts";
import type { Realm } from "../resolve/realm.ts";
import { sharedValue } from "../resolve/shared.ts";
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
} from "../wire/wire.ts";

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
  readonly #realm: Realm | undefined;
  readonly home: Homecoming;
  readonly #privateNames: PrivateNames;
  /** How many values are being made to make the one at hand. */
  #depth = 0;

  constructor(table: Table, unitBytes: (hash: string) => Uint8Array, realm?: Realm) {
    this.#table = table;
    this.#unitBytes = unitBytes;
    this.#realm = realm;
    this.#functions = new FunctionMaker(this);
    this.home = new Homecoming(table, (klass) => this.#functions.embeddedIn(klass));
    this.#privateNames = new PrivateNames(this.home);
  }

  run(): unknown {
    try {
      return this.home.during(() => this.#run());
    } catch (cause) {
      if (cause instanceof KitchenError) throw cause;
      throw cannotDecode(messageOf(cause), cause);
    }
  }

  #run(): unknown {
    const root = this.value(this.#table.root);
    for (let id = this.#toFill.pop(); id !== undefined; id = this.#toFill.pop())
      this.#fill(id, this.#table.nodes[id] as Node);
    this.#realm?.adoptFunctions(this.#table.nodes, this.#values);
    return root;
  }

  /** What a slot refers to, made when it was not yet. */
  value(slot: Slot): unknown {
    if (typeof slot !== "object" || slot === null) return slot;
    const [id, data] = slot;
    if (id !== null) return this.#made(id);
    this.#realm?.adoptData(data);
    return data;
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
    this.#depth++;
    const value = this.#make(node);
    this.#depth--;
    this.#realm?.adoptMade(node, value);
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
        return knownValue(node[1], this.#realm?.globals);
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
      case "moduleVariable":
        return this.#moduleVariable(node[1], node[2], node[3]);
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
        return this.#privateNames.make(this.#ownersIn(node[2])) ?? this.#bare(node[1][0]);
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
      case "domException":
        return new DOMException(node[1], node[2]);
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

  /** This process's own module, when it came from here; else the one that was made here of the same source. */
  #moduleVariable(unit: number, member: number, name: string): unknown {
    const hash = this.#table.units[unit];
    if (hash === undefined) throw cannotDecode("it refers to code that it does not name");
    const home = packedAs({ hash, member });
    return home === undefined
      ? moduleValue(loadModule({ hash, member }, this.#unitBytes), name)
      : ownVariable(home.module, name);
  }

  #bare(proto: ProtoSlot): object {
    // It is set when the object is filled; a chain of prototypes may be longer than the stack.
    if (proto === 0 || this.#depth > DEEP) return {};
    return Object.create(this.value(proto) as object | null) as object;
  }

  /** An object that already is what it is by its kind, with the private names of its classes. */
  #shell(object: object, [proto]: Extras, privates: readonly PrivateRecord[] | null): object {
    this.#privateNames.stamp(this.#ownersIn(privates), object);
    if (proto !== 0) setProto(object, this.value(proto));
    return object;
  }

  #ownersIn(privates: readonly PrivateRecord[] | null): object[] {
    return (privates ?? []).map(([owner]) => this.value(owner) as object);
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
        for (const [name, getter] of node[3] ?? [])
          Object.defineProperty(value, name, { get: this.value(getter) as () => unknown });
        Object.freeze(value);
        return;
      case "function":
        return this.#functions.fill(value, node[1]);
      case "object":
        this.#finish(value, node[1], node[2]);
        // Of those with the usual prototype, none is a pointer.
        if (node[1][0] !== 0) pointerKindOf(value)?.revived?.(value);
        return;
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
      case "domException":
        return this.extend(value, node[3]);
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
    if (proto !== 0) setProto(value, this.value(proto));
    this.define(value, properties);
    if (isSealed) Object.preventExtensions(value);
    for (const [owner, slots] of privates ?? []) {
      const values = slots.map((slot) => this.value(slot));
      this.#privateNames.setFields(this.value(owner) as object, value, values);
    }
  }
}

const DEEP = 100;
const { bind } = Function.prototype;
