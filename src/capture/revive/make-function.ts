import { setCode, type Made, type MemberFactory } from "./compile.ts";
import { setEnvironment } from "./environments.ts";
import { type Key, setComputedKeys } from "../home/field-keys.ts";
import { isOwnClass, setOrigin } from "../resolve/origins.ts";
import type { Rebuild } from "./rebuild.ts";
import { classSupport, embeddedIn, setPrivateStatics } from "./stamping.ts";
import { standIn } from "../scopes/stand-in.ts";
import type { FunctionCode, ScopeShape } from "../wire/units.ts";
import { cannotDecode, type ClassPart, type FunctionNode, type Slot } from "../wire/wire.ts";

type Put = (values: readonly unknown[]) => void;

/** Makes the functions and classes of one table. */
export class FunctionMaker {
  readonly #rebuild: Rebuild;
  readonly #made = new WeakMap<object, Made>();
  readonly #puts: { put: Put; slots: readonly Slot[] }[] = [];

  constructor(rebuild: Rebuild) {
    this.#rebuild = rebuild;
  }

  /** Variables of a shared scope are filled with the first function that is. */
  putLater(put: Put | null, slots: readonly Slot[]): void {
    if (put !== null) this.#puts.push({ put, slots });
  }

  make(node: FunctionNode): object {
    const own = this.#rebuild.home.classFor(node);
    if (own !== undefined) return own;
    const { code, factory } = this.#factory(node);
    const self = this.#rebuild.value(node.lexicalThis);
    const values =
      node.lexicalArguments === undefined
        ? []
        : (this.#rebuild.value(node.lexicalArguments) as ArrayLike<unknown>);
    const parent = this.#prepareClass(node);
    const made = Reflect.apply(factory, self, Array.from(values));
    const [fn] = made;
    if (parent !== undefined && Object.getPrototypeOf(fn) !== parent) Object.setPrototypeOf(fn, parent);
    this.#made.set(fn, made);
    setCode(fn, code);
    this.#rememberModule(fn, node, code);
    if (node.klass !== undefined) this.#rememberClass(fn, node.klass);
    return fn;
  }

  #rememberClass(klass: object, { origin, computedKeys }: ClassPart): void {
    setOrigin(klass, origin);
    if (computedKeys.length > 0) setComputedKeys(klass, this.#values(computedKeys) as Key[]);
  }

  fill(fn: object, node: FunctionNode): void {
    for (let next = this.#puts.pop(); next !== undefined; next = this.#puts.pop())
      next.put(this.#values(next.slots));
    const made = this.#made.get(fn);
    if (made === undefined || (node.klass !== undefined && isOwnClass(fn))) return;
    const [, put, home] = made;
    if (put !== null) put(this.#values(node.captures));
    if (home !== undefined && node.home !== undefined)
      Object.setPrototypeOf(home, this.#rebuild.value(node.home) as object);
    if (node.proto !== 0) Object.setPrototypeOf(fn, this.#rebuild.value(node.proto) as object);
    for (const [isOwn, key] of node.removed ?? [])
      Reflect.deleteProperty(
        isOwn ? fn : (fn as { prototype: object }).prototype,
        this.#rebuild.value(key) as PropertyKey,
      );
    this.#rebuild.value(node.prototype);
    this.#rebuild.define(fn, node.properties);
    if (node.klass !== undefined && node.klass.privateStatics.length > 0)
      setPrivateStatics(fn, this.#values(node.klass.privateStatics));
    if (node.sealed) Object.preventExtensions(fn);
  }

  /** The functions that use private names of a class without being members. */
  embeddedIn(klass: FunctionNode): readonly FunctionCode[] {
    return this.#codeOf(klass)?.klass?.embedded ?? [];
  }

  #factory(node: FunctionNode): { code: FunctionCode; factory: MemberFactory } {
    const { unit, scope, member, owner } = node;
    if (owner !== undefined) return this.#embedded(owner, member);
    if (scope < 0) return checked(this.#codeOf(node), this.#rebuild.unit(unit).single);
    const [, members] = this.#rebuild.scope(scope);
    return checked(this.#codeOf(node), members[member]);
  }

  #codeOf({ unit, scope, member }: FunctionNode): FunctionCode | undefined {
    const { shape } = this.#rebuild.unit(unit);
    return scope < 0 ? shape.members[0] : this.#shapeOf(scope, shape)?.members[member];
  }

  /** Sent on, the function is made at the top level of the same module again. */
  #rememberModule(fn: object, node: FunctionNode, { names }: FunctionCode): void {
    const ref = node.unit < 0 ? undefined : this.#rebuild.unit(node.unit).module;
    if (ref === undefined) return;
    setEnvironment(fn, { ref, inner: new Set([...names, ...this.#namesAround(node.scope)]) });
  }

  #namesAround(scope: number): readonly string[] {
    if (scope < 0) return [];
    const { unit, parent } = this.#rebuild.scopeNode(scope);
    const shape = this.#shapeOf(scope, this.#rebuild.unit(unit).shape);
    return [...(shape?.names ?? []), ...this.#namesAround(parent)];
  }

  #embedded(owner: Slot, member: number): { code: FunctionCode; factory: MemberFactory } {
    const klass = this.#rebuild.value(owner) as object;
    const code = this.embeddedIn(this.#rebuild.functionNode(owner))[member];
    // The text of a class that came home holds no factories.
    const own = code && this.#rebuild.home.instancesOf(klass)?.embed(code);
    return checked(code, own ?? (embeddedIn(klass)[member] as MemberFactory | undefined));
  }

  #shapeOf(scope: number, root: ScopeShape): ScopeShape | undefined {
    const node = this.#rebuild.scopeNode(scope);
    return node.child < 0 ? root : this.#shapeOf(node.parent, root)?.children[node.child];
  }

  /** What the text of a class refers to while it is evaluated; gives the class that it extends. */
  #prepareClass({ klass }: FunctionNode): object | undefined {
    if (klass === undefined) return undefined;
    const parent = this.#rebuild.value(klass.parent) as object | undefined;
    const keys = this.#values(klass.computedKeys);
    classSupport.parent = parent === undefined || canBeExtended(parent) ? parent : standIn;
    classSupport.keys = keys;
    return parent;
  }

  #values(slots: readonly Slot[]): unknown[] {
    return slots.map((slot) => this.#rebuild.value(slot));
  }
}

/** A bound function has its `prototype`, without which it cannot be extended, only when it is filled. */
function canBeExtended(parent: object): boolean {
  return typeof Reflect.get(parent, "prototype") === "object";
}

function checked(
  code: FunctionCode | undefined,
  factory: MemberFactory | undefined,
): { code: FunctionCode; factory: MemberFactory } {
  if (code === undefined || factory === undefined)
    throw cannotDecode("it refers to code that its unit does not hold");
  return { code, factory };
}
