import { hasOnlyElements } from "./elements.ts";
import { KitchenError } from "../core/errors.ts";
import type { ClaimedKeys } from "./classes.ts";
import { encodeFunction, type Draft } from "./functions.ts";
import { inOneBurst } from "./inspect.ts";
import { encodeObject } from "./objects.ts";
import { labelOf } from "./labels.ts";
import { fidelityOf } from "./plain.ts";
import { followLiveBindings } from "./live-bindings.ts";
import { symbolName } from "./known.ts";
import { finishFunctions } from "./sharing.ts";
import { type CodeUnit, encodeUnit, type UnitRecord } from "./units.ts";
import {
  encodeLone,
  encodeTable,
  type Node,
  type PropertyRecord,
  type ScopeNode,
  type Slot,
} from "./wire.ts";

interface Step {
  readonly parent: number;
  readonly label: string;
}

/** Objects that the strict scan may look at in vain before it is given up for this graph. */
const SCAN_BUDGET = 20_000;

/**
 * One capture: gives every object it meets a number, and works them off a list rather than by recursion, so that
 * depth is no limit.
 */
export class Walk {
  drafts: Draft[] = [];
  /** What was found out about classes of this graph. */
  readonly classes: Map<object, ClaimedKeys> = new Map();
  readonly scopes: ScopeNode[] = [];
  /** Namespaces of modules that travel as the values they have now. */
  readonly namespaces: { readonly id: number; readonly namespace: object }[] = [];
  readonly #nodes: (Node | undefined)[] = [];
  readonly #values: (object | symbol)[] = [];
  readonly #steps: Step[] = [];
  readonly #ids = new Map<object | symbol, number>();
  /** Objects that go as data, together with everything that they refer to. */
  readonly #data = new Set<object>();
  readonly #units = new Map<string, { index: number; unit: CodeUnit }>();
  readonly #rootName: string;
  #next = 0;
  readonly #owners = new Map<object, object>();
  /** Methods, which wait until it is known whether a class of the graph has them. */
  readonly #late = new Set<number>();
  #scanBudget = SCAN_BUDGET;
  #current = -1;

  constructor(rootName: string) {
    this.#rootName = rootName;
  }

  run(root: unknown): { graph: Uint8Array; units: CodeUnit[] } {
    return inOneBurst(() => this.#run(root));
  }

  #run(root: unknown): { graph: Uint8Array; units: CodeUnit[] } {
    const slot = this.slot(root, "");
    this.#encodeAll();
    for (const id of this.#late) {
      this.#late.delete(id);
      this.#encode(id, true);
      this.#encodeAll();
    }
    followLiveBindings(this);
    finishFunctions(this);
    const units = [...this.#units.values()].map(({ unit }) => unit);
    const hashes = units.map(({ hash }) => hash);
    const nodes = this.#nodes as readonly Node[];
    if (isLone(nodes, this.scopes.length)) return { graph: encodeLone(hashes[0] as string), units };
    return { graph: encodeTable({ root: slot, units: hashes, scopes: this.scopes, nodes }), units };
  }

  /** How a node refers to `value`; `label` is its part of the path that a refusal shows. */
  slot(value: unknown, label: string): Slot {
    switch (typeof value) {
      case "function":
      case "symbol":
        return [this.#id(value, label)];
      case "object":
        if (value === null) return null;
        return this.#ids.has(value) || !this.#isData(value) ? [this.#id(value, label)] : [null, value];
      default:
        return value as Slot;
    }
  }

  /** Puts `node` in the place of `value`, unless something refers to it already. */
  claim(value: object, node: Node): boolean {
    const id = this.#id(value, "");
    const isOpen = id >= this.#next || this.#late.has(id);
    if (this.#nodes[id] !== undefined || !isOpen) return false;
    this.#nodes[id] = node;
    return true;
  }

  /**
   * Makes `prototype` the prototype object of a class whatever it names as its constructor. False when it was already
   * encoded as an object of its own.
   */
  own(prototype: object, klass: object): boolean {
    if (this.#isEncoded(prototype)) return this.#owners.get(prototype) === klass;
    this.#owners.set(prototype, klass);
    return true;
  }

  /** The class that {@link own} was told of. */
  ownerOf(prototype: object): object | undefined {
    return this.#owners.get(prototype);
  }

  noteNamespace(namespace: object): void {
    this.namespaces.push({ id: this.#current, namespace });
  }

  /** Makes an export of a namespace what `getter` returns. */
  makeLive(id: number, name: string, getter: Slot): void {
    const node = this.#nodes[id];
    if (node?.[0] !== "namespace") return;
    const [kind, names, values, getters = []] = node;
    this.#nodes[id] = [kind, names, values, [...getters, [name, getter]]];
  }

  /** A function that is nowhere in the graph, for something in it to refer to. */
  addDraft(draft: Omit<Draft, "id" | "fn">): Slot {
    const fn = (): void => undefined;
    const id = this.#id(fn, "");
    this.drafts.push({ ...draft, id, fn });
    return [id];
  }

  #isEncoded(value: object): boolean {
    const id = this.#ids.get(value);
    return id !== undefined && (id < this.#next || this.#nodes[id] !== undefined);
  }

  finish(id: number, node: Node): void {
    this.#nodes[id] = node;
  }

  /** The number of a unit among those of this graph. */
  unit(record: UnitRecord): { index: number; hash: string } {
    const unit = encodeUnit(record);
    const known = this.#units.get(unit.hash);
    if (known !== undefined) return { index: known.index, hash: unit.hash };
    const index = this.#units.size;
    this.#units.set(unit.hash, { index, unit });
    return { index, hash: unit.hash };
  }

  properties(value: object, isSkipped: (key: string | symbol) => boolean = never): PropertyRecord[] {
    const records: PropertyRecord[] = [];
    if (ArrayBuffer.isView(value) && hasOnlyElements(value)) return records;
    for (const key of Reflect.ownKeys(value)) {
      const descriptor = isSkipped(key) ? undefined : Reflect.getOwnPropertyDescriptor(value, key);
      if (descriptor !== undefined)
        records.push(this.#property(key, withoutRuntimesOwn(value, key, descriptor)));
    }
    return records;
  }

  refuse(what: string, wayOut: string, label = ""): never {
    throw new KitchenError("KS_CANNOT_CAPTURE", `Cannot capture ${this.path(label)}: ${what} (${wayOut})`);
  }

  /** The way from the root to what is being encoded. */
  path(label = ""): string {
    const labels: string[] = label === "" ? [] : [label];
    for (let id = this.#current; id >= 0; id = (this.#steps[id] as Step).parent)
      labels.push((this.#steps[id] as Step).label);
    const shown = [this.#rootName, ...labels.toReversed()].filter((part) => part !== "");
    if (shown.length === 0) return "the value";
    return shown.reduce((path, part) => (part.startsWith("[") ? path + part : `${path} → ${part}`));
  }

  dropDrafts(isDropped: (draft: Draft) => boolean): void {
    this.drafts = this.drafts.filter((draft) => !isDropped(draft));
  }

  /** The object by way of which the graph came to `value`. */
  ownersOf(value: object): object[] {
    const step = this.#steps[this.#ids.get(value) ?? -1];
    const owner = step === undefined ? undefined : this.#values[step.parent];
    return typeof owner === "object" || typeof owner === "function" ? [owner] : [];
  }

  /** Makes a later refusal name the way to this node. */
  at(id: number): void {
    this.#current = id;
  }

  #encodeAll(): void {
    while (this.#next < this.#values.length) this.#encode(this.#next++);
  }

  #encode(id: number, isLate = false): void {
    if (this.#nodes[id] !== undefined) return;
    this.#current = id;
    const value = this.#values[id] as object | symbol;
    // A method may turn out to be part of a class that the graph holds; alone it is less.
    if (!isLate && isMethod(value)) {
      this.#late.add(id);
      return;
    }
    if (typeof value === "symbol") this.#nodes[id] = encodeSymbol(value);
    else if (typeof value === "function") this.#nodes[id] = encodeFunction(this, value, id);
    else this.#nodes[id] = encodeObject(this, value);
  }

  #id(value: object | symbol, label: string): number {
    const known = this.#ids.get(value);
    if (known !== undefined) return known;
    const id = this.#values.push(value) - 1;
    this.#ids.set(value, id);
    this.#steps.push({ parent: this.#current, label });
    this.#nodes.push(undefined);
    return id;
  }

  #isData(value: object): boolean {
    if (this.#data.has(value)) return true;
    if (this.#scanBudget <= 0) return false;
    const seen = new Set<object>();
    const isData = fidelityOf(value, seen) !== "table" && ![...seen].some((object) => this.#ids.has(object));
    if (!isData) this.#scanBudget -= seen.size;
    else for (const object of seen) this.#data.add(object);
    return isData;
  }

  #property(key: string | symbol, descriptor: PropertyDescriptor): PropertyRecord {
    const label = labelOf(key);
    const keySlot = typeof key === "symbol" ? this.slot(key, label) : key;
    const flags =
      (descriptor.enumerable ? 1 : 0) | (descriptor.configurable ? 2 : 0) | (descriptor.writable ? 4 : 0);
    if (!("value" in descriptor)) {
      const getter = this.slot(descriptor.get, `get ${label}`);
      return [keySlot, flags | 8, getter, this.slot(descriptor.set, `set ${label}`)];
    }
    return [keySlot, flags, this.slot(descriptor.value, label)];
  }
}

/**
 * On errors, and on what `Error.captureStackTrace` was given, `stack` is an accessor of the runtime's own in some
 * versions, another one in each vm context; so it goes as the text that it gives.
 */
function withoutRuntimesOwn(
  value: object,
  key: string | symbol,
  descriptor: PropertyDescriptor,
): PropertyDescriptor {
  if (key !== "stack") return descriptor;
  const { get, set, enumerable = false, configurable = false } = descriptor;
  if (isNative(get))
    return { enumerable, configurable, writable: true, value: Reflect.apply(get, value, []) };
  return get !== undefined && isNative(set) ? { enumerable, configurable, get } : descriptor;
}

function isNative(fn: (() => unknown) | ((value: unknown) => void) | undefined): fn is () => unknown {
  return fn !== undefined && /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn));
}

/** One function of which the code is all there is: no values, no properties, no peculiarities. */
function isLone(nodes: readonly Node[], scopeCount: number): boolean {
  const [node] = nodes;
  if (nodes.length !== 1 || scopeCount > 0 || node?.[0] !== "function") return false;
  const { captures, properties, removed, sealed, proto, klass, lexicalThis, lexicalArguments, home } =
    node[1];
  const hasLexicals = lexicalThis !== undefined || lexicalArguments !== undefined || home !== undefined;
  return (
    captures.length + properties.length === 0 &&
    removed === undefined &&
    !sealed &&
    proto === 0 &&
    klass === undefined &&
    !hasLexicals
  );
}

function isMethod(value: unknown): boolean {
  return (
    typeof value === "function" &&
    !Object.hasOwn(value, "prototype") &&
    !/^(async\s*)?(function\b|\(|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>)/u.test(
      Function.prototype.toString.call(value),
    )
  );
}

function never(): boolean {
  return false;
}

function encodeSymbol(symbol: symbol): Node {
  const name = symbolName(symbol);
  return name === undefined ? ["symbol", symbol.description] : ["symbolFor", name];
}
