import { types } from "node:util";
import { hasOnlyElements } from "./elements.ts";
import { KitchenError } from "../../core/errors.ts";
import type { ClaimedKeys } from "./classes.ts";
import { encodeFunction, type Draft } from "./functions.ts";
import { inOneBurst } from "../scopes/inspect.ts";
import { encodeObject } from "./objects.ts";
import { isMethod } from "./is-method.ts";
import { labelOf } from "./labels.ts";
import type { Captured } from "../capture.ts";
import { expectNewModules } from "../resolve/modules.ts";
import { loneOf } from "../wire/lone.ts";
import { fidelityOf } from "../wire/plain.ts";
import { withoutRuntimesOwn } from "./stack-accessor.ts";
import { followLiveBindings } from "./live-bindings.ts";
import { symbolName } from "../resolve/known.ts";
import { pointerKindOf } from "../resolve/pointers.ts";
import { ModuleRefusal } from "../modules/module-refusal.ts";
import { finishFunctions } from "./sharing.ts";
import type { SourceModule } from "../modules/source-modules.ts";
import type { Home, Sources } from "../modules/sources.ts";
import { rememberFile } from "../stacks/shipped.ts";
import { type CodeUnit, encodeUnit, type UnitRecord } from "../wire/units.ts";
import {
  encodeLone,
  encodeTable,
  type Node,
  type PropertyRecord,
  type ScopeNode,
  type Slot,
} from "../wire/wire.ts";

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
  readonly #pointers = new Set<string>();
  /** Methods, which wait until it is known whether a class of the graph has them. */
  readonly #late = new Set<number>();
  #scanBudget = SCAN_BUDGET;
  /** Some of the data needs v8's own format. */
  #needsV8 = false;
  #current = -1;
  readonly sources: Sources | undefined;
  /** Something went by value before it was known to belong to a module that goes as source. */
  isStale = false;
  #refusedLabel = "";

  constructor(rootName: string, sources?: Sources) {
    this.#rootName = rootName;
    this.sources = sources;
  }

  run(root: unknown): Captured {
    expectNewModules();
    return inOneBurst(() => this.#run(root));
  }

  #run(root: unknown): Captured {
    const slot = this.slot(root, "");
    this.#encodeAll();
    for (const id of this.#late) {
      this.#late.delete(id);
      this.#encode(id, true);
      this.#encodeAll();
    }
    followLiveBindings(this);
    this.#refuseKept();
    finishFunctions(this);
    const units = [...this.#units.values()].map(({ unit }) => unit);
    const hashes = units.map(({ hash }) => hash);
    const pointers = [...this.#pointers];
    const nodes = this.#nodes as readonly Node[];
    const lone = this.scopes.length === 0 ? loneOf(nodes, hashes, this.#needsV8) : undefined;
    if (lone !== undefined) return { graph: encodeLone(lone), units, pointers };
    const graph = encodeTable({ root: slot, units: hashes, scopes: this.scopes, nodes });
    return { graph, units, pointers };
  }

  /** How a node refers to `value`; `label` is its part of the path that a refusal shows. */
  slot(value: unknown, label: string): Slot {
    switch (typeof value) {
      case "function":
      case "symbol":
        return [this.#id(value, label)];
      case "object":
        if (value === null) return null;
        return this.#isKnown(value) || !this.#isData(value) ? [this.#id(value, label)] : [null, value];
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

  /** Keeps what an object points to, when it is a pointer. */
  notePointer(value: object): void {
    const target = pointerKindOf(value)?.target(value, () => this.path());
    if (target !== undefined) this.#pointers.add(target);
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
    return { index: this.#unitIndex(unit), hash: unit.hash };
  }

  #unitIndex(unit: CodeUnit): number {
    const known = this.#units.get(unit.hash);
    if (known !== undefined) return known.index;
    const index = this.#units.size;
    this.#units.set(unit.hash, { index, unit });
    return index;
  }

  /** Has the source of a module travel along. */
  addModule({ ref, units, own }: SourceModule): number {
    for (const unit of units) this.#unitIndex(unit);
    if (own !== undefined) rememberFile(own.url, own.scriptId);
    return this.#units.get(ref.hash)?.index as number;
  }

  /** A node for a value that is a variable of a module which goes as source, or a member of a class there. */
  sourceNode(value: object | symbol): Node | undefined {
    if (this.sources === undefined) return undefined;
    if (typeof value === "function" && !types.isProxy(value)) this.homeOf(value);
    const binding = this.sources.binding(value);
    if (binding === undefined) return undefined;
    if ("name" in binding) return this.#variableNode(binding);
    const { owner, isStatic, key, part } = binding;
    const keySlot = typeof key === "symbol" ? this.slot(key, "") : key;
    return ["member", this.slot(owner, "(class)"), isStatic, keySlot, part];
  }

  #variableNode({ module, name }: { module: SourceModule; name: string }): Node {
    return ["moduleVariable", this.addModule(module), module.ref.member, name];
  }

  /** How a node refers to a variable that is imported from a module which goes as source. */
  importedSlot(scriptId: string, name: string, value: unknown): Slot | undefined {
    const { sources } = this;
    const variable = sources && this.orRefuse(() => sources.imported(scriptId, name), `captured "${name}"`);
    if (sources === undefined || variable === undefined) return undefined;
    if (variable.module.text.changing.has(variable.name))
      this.refuse(
        `${variable.module.url}, which travels as source, assigns to it while it runs`,
        "export a function that returns it",
        `captured "${name}"`,
      );
    this.#learn(sources.bindImported(variable, value));
    if (
      (typeof value === "object" && value !== null) ||
      typeof value === "function" ||
      typeof value === "symbol"
    )
      return undefined;
    return [this.#extraNode(this.#variableNode(variable), name)];
  }

  #extraNode(node: Node, name: string): number {
    const id = this.#id({}, `captured "${name}"`);
    this.#nodes[id] = node;
    return id;
  }

  /** The module in whose top level a function has to be made again. */
  homeOf(fn: object): Home | undefined {
    const { sources } = this;
    const home = sources && this.orRefuse(() => sources.homeOf(fn));
    if (home?.isInside === true) this.#learn(sources?.meet(home.module, fn) ?? []);
    return home;
  }

  /** Runs `use`, and refuses with the way to it what it refuses. */
  orRefuse<T>(use: () => T, label = ""): T {
    try {
      return use();
    } catch (error) {
      if (error instanceof ModuleRefusal) return this.refuse(error.message, error.wayOut, label);
      throw error;
    }
  }

  #learn(values: readonly (object | symbol)[]): void {
    for (const value of values) {
      const id = this.#ids.get(value);
      const isDone = id !== undefined && id < this.#next && id !== this.#current && !this.#late.has(id);
      if (isDone || (typeof value === "object" && this.#data.has(value))) this.isStale = true;
    }
  }

  /** The values on the way to what was refused, each with the label of the step from it; the last step first. */
  *wayToRefused(): Iterable<{ owner: object | symbol | undefined; label: string }> {
    let label = this.#refusedLabel;
    for (let id = this.#current; id >= 0; id = (this.#steps[id] as Step).parent) {
      yield { owner: this.#values[id], label };
      ({ label } = this.#steps[id] as Step);
    }
  }

  properties(value: object, isSkipped: (key: string | symbol) => boolean = never): PropertyRecord[] {
    const records: PropertyRecord[] = [];
    if (ArrayBuffer.isView(value) && hasOnlyElements(value)) return records;
    for (const key of Reflect.ownKeys(value)) {
      const descriptor = isSkipped(key) ? undefined : Reflect.getOwnPropertyDescriptor(value, key);
      if (descriptor !== undefined) records.push(this.#property(key, withoutRuntimesOwn(value, descriptor)));
    }
    return records;
  }

  refuse(what: string, wayOut: string, label = ""): never {
    this.#refusedLabel = label;
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

  /** State that compiled private names have, for one, is in collections of the module. */
  #refuseKept(): void {
    const { sources } = this;
    if (sources === undefined || this.isStale) return;
    for (const value of [...this.#values, ...this.#data]) {
      if (typeof value === "symbol" || sources.binding(value) !== undefined) continue;
      if (!sources.keepsStateOf(value)) continue;
      this.at(this.#ids.get(value) ?? -1);
      this.refuse(
        "its module, which travels as source, keeps state of it in a collection",
        "make it inside the function, and return data",
      );
    }
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
    if (typeof value === "symbol") this.#nodes[id] = this.sourceNode(value) ?? encodeSymbol(value);
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

  #isKnown(value: object): boolean {
    return this.#ids.has(value) || this.sources?.binding(value) !== undefined;
  }

  #isData(value: object): boolean {
    if (this.#data.has(value)) {
      // What two values share is one only in a format that keeps identity.
      this.#needsV8 = true;
      return true;
    }
    if (this.#scanBudget <= 0) return false;
    const seen = new Set<object>();
    const fidelity = fidelityOf(value, seen);
    const isData = fidelity !== "table" && ![...seen].some((object) => this.#isKnown(object));
    if (!isData) this.#scanBudget -= seen.size;
    else for (const object of seen) this.#data.add(object);
    if (isData && fidelity === "v8") this.#needsV8 = true;
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

function never(): boolean {
  return false;
}

function encodeSymbol(symbol: symbol): Node {
  const name = symbolName(symbol);
  return name === undefined ? ["symbol", symbol.description] : ["symbolFor", name];
}
