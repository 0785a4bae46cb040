import { Exits } from "./exits.ts";
import { inOneBurst, type Inspector, theInspector } from "../scopes/inspect.ts";
import { ownClass } from "../resolve/origins.ts";
import { OwnInstances } from "./own-instances.ts";
import type { FunctionCode } from "../wire/units.ts";
import type { FunctionNode, Node, PrivateRecord, Slot, Table } from "../wire/wire.ts";

/** A class of this process that comes back to it in a table. */
interface Home {
  readonly node: FunctionNode;
  readonly klass: object;
}

/**
 * Which classes of a table are this process's own. A copy of a class and the class itself have different private names,
 * so a class whose private names the table needs is the own one only if those can be put on without running its
 * constructor; and what extends a copy is a copy too.
 */
export class Homecoming {
  readonly #nodes: readonly Node[];
  readonly #embeddedIn: (klass: FunctionNode) => readonly FunctionCode[];
  readonly #homes = new Map<number, Home>();
  readonly #ids = new Map<FunctionNode, number>();
  readonly #isOwn = new Map<number, boolean>();
  readonly #instances = new Map<object, OwnInstances>();
  /** Classes whose private names are needed and cannot be had. */
  readonly #copied = new Set<object>();
  readonly #exits = new Exits();
  #inspector: Inspector | undefined;

  /** @param embeddedIn gives the functions that use private names of a class without being members */
  constructor({ nodes }: Table, embeddedIn: (klass: FunctionNode) => readonly FunctionCode[]) {
    this.#nodes = nodes;
    this.#embeddedIn = embeddedIn;
    for (const [id, node] of nodes.entries()) {
      const part = node[0] === "function" ? node[1].klass : undefined;
      const klass = part?.isReturning === true ? ownClass(part.origin) : undefined;
      if (node[0] !== "function" || klass === undefined) continue;
      this.#homes.set(id, { node: node[1], klass });
      this.#ids.set(node[1], id);
    }
  }

  /** Calls `use` while instances of the classes that come home can be made. */
  during<T>(use: () => T): T {
    const needed = this.#homes.size === 0 ? NOTHING : ownersIn(this.#nodes);
    const homes = [...this.#homes].flatMap(([id, home]) => (needed.has(id) ? home : []));
    this.#inspector = homes.length > 0 ? inspectorOrNone() : undefined;
    const run = (): T => {
      try {
        this.#prepare(homes);
        for (const id of this.#homes.keys()) this.#decide(id);
        return use();
      } finally {
        this.#exits.close();
      }
    };
    return this.#inspector === undefined ? run() : inOneBurst(run);
  }

  /** This process's own class, for the node of one that comes home. */
  classFor(node: FunctionNode): object | undefined {
    const id = this.#ids.get(node) ?? -1;
    return this.#isOwn.get(id) === true ? this.#homes.get(id)?.klass : undefined;
  }

  instancesOf(klass: object): OwnInstances | undefined {
    return this.#copied.has(klass) ? undefined : this.#instances.get(klass);
  }

  /** All looks come before all breakpoints, which would end a look at another class from the same text. */
  #prepare(homes: readonly Home[]): void {
    for (const { klass } of homes) this.#copied.add(klass);
    if (this.#inspector === undefined) return;
    for (const home of homes) attempt(() => this.#look(home));
    for (const [klass, instances] of this.#instances)
      attempt(() => {
        if (this.#exits.open(instances) && instances.isSound()) this.#copied.delete(klass);
      });
    if (!this.#exits.areNeeded) this.#inspector.off();
  }

  #look({ node, klass }: Home): void {
    const instances = OwnInstances.of(klass);
    const canEmbed = this.#embeddedIn(node).every((code) => instances?.embed(code) !== undefined);
    if (instances !== undefined && canEmbed) this.#instances.set(klass, instances);
  }

  #decide(id: number): boolean {
    const { klass, node } = this.#homes.get(id) as Home;
    const isOwn = this.#isOwn.get(id) ?? (!this.#copied.has(klass) && this.#isParentOwn(node));
    this.#isOwn.set(id, isOwn);
    return isOwn;
  }

  #isParentOwn({ klass }: FunctionNode): boolean {
    const parent = idOf(klass?.parent);
    const node = parent === undefined ? undefined : this.#nodes[parent];
    if (parent === undefined || node?.[0] !== "function" || node[1].klass?.isReturning !== true) return true;
    return this.#homes.has(parent) && this.#decide(parent);
  }
}

/** What fails leaves a class to be copied, which always works. */
function attempt(prepare: () => void): void {
  try {
    prepare();
  } catch {
    // The class stays among those that are copied.
  }
}

function inspectorOrNone(): Inspector | undefined {
  try {
    return theInspector();
  } catch {
    return undefined;
  }
}

const NOTHING: ReadonlySet<number> = new Set();

/** The classes whose private names a table needs: for objects that have them, and for functions that use them. */
function ownersIn(nodes: readonly Node[]): ReadonlySet<number> {
  const slots = nodes.flatMap((node) =>
    node[0] === "function" ? [node[1].owner] : (privatesIn(node) ?? []).map(([owner]) => owner),
  );
  return new Set(slots.map((slot) => idOf(slot) ?? -1));
}

function privatesIn(node: Node): readonly PrivateRecord[] | null | undefined {
  switch (node[0]) {
    case "object":
    case "error":
      return node[2];
    case "array":
    case "date":
    case "map":
    case "set":
    case "boxed":
    case "view":
      return node[3];
    case "regexp":
      return node[4];
    default:
      return undefined;
  }
}

function idOf(slot: Slot): number | undefined {
  return Array.isArray(slot) && typeof slot[0] === "number" ? slot[0] : undefined;
}
