import type * as ESTree from "estree";
import { type Analysis, analyse } from "../source/analyse.ts";
import {
  bodyOf,
  isFixedKey,
  literalKey,
  type Member,
  memberText,
  type PrivateNames,
  privateNamesIn,
  sourceOf,
} from "../source/class-text.ts";
import { fieldKey } from "../home/field-keys.ts";
import { isOwnClass, originOf } from "../resolve/origins.ts";
import { Edits } from "../source/edits.ts";
import { startOf } from "../source/offsets.ts";
import { theInspector } from "../scopes/inspect.ts";
import { type ClassCode, EMBEDDED_MARK } from "../wire/units.ts";
import type { Walk } from "./walk.ts";
import type { ClassPart, Slot } from "../wire/wire.ts";

/** Properties that the text of a class makes when it is defined again. */
export interface ClaimedKeys {
  readonly members: ReadonlySet<string | symbol>;
  readonly statics: ReadonlySet<string | symbol>;
  readonly removed: readonly RemovedKey[];
}

/** A member of the text that its holder has no more: `isOwn` of the class itself, else of its prototype object. */
export type RemovedKey = readonly [isOwn: boolean, key: string | symbol];

/** Methods and accessors of a class become parts of it, wherever else in the graph they are referred to. */
export function claimedKeys(walk: Walk, klass: object): ClaimedKeys {
  const known = walk.classes.get(klass);
  if (known !== undefined) return known;
  const members = new Set<string | symbol>();
  const statics = new Set<string | symbol>(["prototype"]);
  const removed: RemovedKey[] = [];
  const claimed = { members, statics, removed };
  walk.classes.set(klass, claimed);
  const source = sourceOf(klass);
  const analysis = analyse(source);
  const owner = walk.slot(klass, "(class)");
  const { prototype } = klass as { prototype: object };
  const own = new Map<string | symbol, Halves>();
  const inherited = new Map<string | symbol, Halves>();
  for (const member of bodyOf(analysis)) {
    if (
      member.type !== "MethodDefinition" ||
      member.kind === "constructor" ||
      member.key.type === "PrivateIdentifier"
    )
      continue;
    const holder = member.static ? klass : prototype;
    const text = memberText(member, source, analysis.offset);
    const key = keyOf(member, holder, text);
    const part = member.kind === "get" || member.kind === "set" ? member.kind : "value";
    if (key === undefined) removed.push([member.static, computedStandIn(member)]);
    else if (!Object.hasOwn(holder, key)) removed.push([member.static, key]);
    const halves = halvesOf(member.static ? own : inherited, key);
    const fn =
      key === undefined ? undefined : (Reflect.getOwnPropertyDescriptor(holder, key)?.[part] as unknown);
    if (key === undefined || typeof fn !== "function" || sourceOf(fn) !== text) continue;
    const slot = typeof key === "symbol" ? walk.slot(key, "") : key;
    if (walk.claim(fn, ["member", owner, member.static, slot, part])) halves.claimed++;
  }
  addUnchanged(prototype, members, inherited);
  addUnchanged(klass, statics, own);
  return claimed;
}

/** How many functions the text puts under a key, and how many of them are still there. */
interface Halves {
  written: number;
  claimed: number;
}

function halvesOf(found: Map<string | symbol, Halves>, key: string | symbol | undefined): Halves {
  const halves = (key === undefined ? undefined : found.get(key)) ?? { written: 0, claimed: 0 };
  if (key !== undefined) found.set(key, halves);
  halves.written++;
  return halves;
}

/** A property of other flags, or an accessor of which one half was exchanged, is not what the text makes. */
function addUnchanged(
  holder: object,
  keys: Set<string | symbol>,
  found: ReadonlyMap<string | symbol, Halves>,
): void {
  for (const [key, { written, claimed }] of found) {
    const descriptor = Reflect.getOwnPropertyDescriptor(holder, key);
    const isUsual =
      descriptor?.configurable === true && !descriptor.enumerable && descriptor.writable !== false;
    if (isUsual && claimed === written) keys.add(key);
  }
}

/** The key of a computed member is not in its text; it is where a function of this text is. */
function keyOf(member: ESTree.MethodDefinition, holder: object, text: string): string | symbol | undefined {
  if (!member.computed) return literalKey(member.key);
  const part = member.kind === "get" || member.kind === "set" ? member.kind : "value";
  return Reflect.ownKeys(holder).find((key) => {
    const fn = Reflect.getOwnPropertyDescriptor(holder, key)?.[part] as unknown;
    return typeof fn === "function" && sourceOf(fn) === text;
  });
}

/** The name of a member that is nowhere to be found. */
function computedStandIn(member: ESTree.MethodDefinition): string {
  return `(removed at ${startOf(member)})`;
}

export interface ClassDescription {
  readonly code: ClassCode;
  readonly part: ClassPart;
}

/** What to exchange in the text of a class, and the values to put in its place. */
export function classCode(walk: Walk, klass: object, analysis: Analysis, source: string): ClassDescription {
  const body = bodyOf(analysis);
  const edits = new Edits(source, analysis.offset);
  const { superClass } = analysis.node as ESTree.Class;
  const extendsNull = superClass?.type === "Literal" && superClass.value === null;
  const computedKeys: Slot[] = [];
  if (superClass != null && !extendsNull) edits.replace(superClass, "$ks.parent");
  const names = privateNamesIn(body);
  for (const member of body)
    editMember(
      walk,
      { klass, body, member, edits, hasPrivates: names.any, source, offset: analysis.offset },
      computedKeys,
    );
  if (names.any) guardConstructor(body, edits, superClass != null);
  if (body.some(isPrivate)) edits.insertAtEnd(registration(names));
  const parent =
    superClass == null || extendsNull
      ? {}
      : { parent: walk.slot(Object.getPrototypeOf(klass), "(class it extends)") };
  return {
    code: { edits: edits.list },
    part: {
      ...parent,
      computedKeys,
      privateStatics: staticsOf(walk, klass, names.statics),
      origin: originOf(klass),
      isReturning: !isOwnClass(klass),
    },
  };
}

function isPrivate(member: Member): boolean {
  return member.type !== "StaticBlock" && member.key.type === "PrivateIdentifier";
}

interface Editing {
  readonly klass: object;
  readonly body: readonly Member[];
  readonly member: Member;
  readonly edits: Edits;
  readonly hasPrivates: boolean;
  readonly source: string;
  readonly offset: number;
}

function editMember(walk: Walk, editing: Editing, computedKeys: Slot[]): void {
  const { member, edits, hasPrivates } = editing;
  if (member.type === "StaticBlock") return edits.blank(member);
  if (member.type === "PropertyDefinition" && member.static) {
    if (member.key.type !== "PrivateIdentifier") edits.blank(member);
    else if (member.value != null) edits.blankBetween(member.key, member.value);
    return;
  }
  if (member.computed && !isFixedKey(member.key)) replaceKey(walk, editing, computedKeys);
  if (
    member.type === "PropertyDefinition" &&
    hasPrivates &&
    member.value != null &&
    !isFunctionText(member.value)
  ) {
    edits.surround(member.value, "$ks.stamping?void 0:(", ")");
  }
}

function replaceKey(walk: Walk, editing: Editing, computedKeys: Slot[]): void {
  const index = computedKeys.length;
  const key =
    editing.member.type === "MethodDefinition" ? methodKey(editing) : readFieldKey(walk, editing, index);
  editing.edits.replace((editing.member as { key: ESTree.Node }).key, `$ks.keys[${index}]`);
  computedKeys.push(typeof key === "symbol" ? walk.slot(key, "") : key);
}

function methodKey({ klass, member, source, offset }: Editing): string | symbol {
  const method = member as ESTree.MethodDefinition;
  const holder = method.static ? klass : (klass as { prototype: object }).prototype;
  return keyOf(method, holder, memberText(method, source, offset)) ?? computedStandIn(method);
}

function readFieldKey(walk: Walk, { klass, member, body }: Editing, index: number): string | symbol {
  return (
    fieldKey(klass, body, member, index) ??
    walk.refuse(
      "a class field has a computed name, which cannot be read back",
      "give the field a fixed name, or set it in the constructor",
    )
  );
}

/** Making a function does nothing but that, and wrapped it would lose the name of its field. */
function isFunctionText({ type }: ESTree.Node): boolean {
  return type === "ArrowFunctionExpression" || type === "FunctionExpression";
}

/** The constructor ran once, where the instance was made; here only private names are put on. */
function guardConstructor(body: readonly Member[], edits: Edits, isDerived: boolean): void {
  const maker = body.find((member) => member.type === "MethodDefinition" && member.kind === "constructor");
  if (maker?.type === "MethodDefinition")
    edits.insertAfterStart(
      maker.value.body,
      isDerived ? "if($ks.stamping){super();return}" : "if($ks.stamping)return;",
    );
}

function registration({ fields, statics }: PrivateNames): string {
  const sets = fields.map((name, index) => `o.#${name}=v[${index}];`).join("");
  const own = statics.map((name, index) => `this.#${name}=v[${index}];`).join("");
  return `;static{$ks.register(this,(o,v)=>{${sets}},v=>{${own}},${EMBEDDED_MARK})}`;
}

function staticsOf(walk: Walk, klass: object, names: readonly string[]): Slot[] {
  if (names.length === 0) return [];
  const inspector = theInspector();
  const { privates } = inspector.internals(klass);
  const values = names.map((name) =>
    inspector.take(privates.find((entry) => entry.name === `#${name}`)?.value),
  );
  inspector.release();
  return values.map((value, index) => walk.slot(value, `.#${names[index]}`));
}
