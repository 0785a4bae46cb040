import type * as ESTree from "estree";
import { isFixedKey, literalKey, type Member } from "../source/class-text.ts";
import { sampleOf } from "./exits.ts";

export type Key = string | symbol;

const found = new WeakMap<object, ReadonlyMap<Member, Key>>();
const given = new WeakMap<object, readonly Key[]>();

/** Remembers what the computed names in the text of a class are that was made from a capture, in their order. */
export function setComputedKeys(klass: object, keys: readonly Key[]): void {
  given.set(klass, keys);
}

/** The computed name of a field, the `index`th of the computed names in its class; undefined when it cannot be told. */
export function fieldKey(
  klass: object,
  body: readonly Member[],
  field: Member,
  index: number,
): Key | undefined {
  const keys = given.get(klass);
  if (keys !== undefined) return keys[index];
  const known = found.get(klass) ?? new Map(readKeys(klass, body));
  found.set(klass, known);
  return known.get(field);
}

/** Instances have the names; which of them is whose is clear from the order. */
function readKeys(klass: object, body: readonly Member[]): [Member, Key][] {
  const fields = body.filter(isPublicField);
  const computed = fields.filter((field) => field.computed && !isFixedKey(field.key));
  const sample = sampleOf(klass);
  if (sample === undefined) return [];
  const others = new Set<Key>([
    ...fields.filter((field) => !computed.includes(field)).map(fixedKey),
    ...sample.instances.assigned,
  ]);
  const keys = Reflect.ownKeys(sample.instance).filter((key) => !others.has(key));
  const isClear = keys.length === computed.length && (keys.length === 1 || keepsOrder(keys));
  return isClear ? computed.map((field, index) => [field, keys[index] as Key]) : [];
}

function isPublicField(member: Member): member is ESTree.PropertyDefinition {
  return member.type === "PropertyDefinition" && !member.static && member.key.type !== "PrivateIdentifier";
}

function fixedKey({ key }: ESTree.PropertyDefinition): Key {
  if (key.type === "MemberExpression" && key.property.type === "Identifier")
    return Reflect.get(Symbol, key.property.name) as symbol;
  return literalKey(key) ?? "";
}

/** Numbers come before other names, and symbols after them. */
function keepsOrder(keys: readonly Key[]): boolean {
  return (
    keys.every((key) => typeof key === "symbol") ||
    keys.every((key) => typeof key === "string" && !/^(0|[1-9]\d*)$/.test(key))
  );
}
