import type * as ESTree from "estree";
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { types } from "node:util";
import { standIn } from "./stand-in.ts";

/**
 * What evaluating an expression comes to, as far as its text tells:
 * - `loud`: perhaps more than a value.
 * - `doubtful`: some value, but it calls code that V8 has to look at.
 * - `some`: a value of which nothing is known, so that nothing may be done with it.
 * - `harmless`: a primitive, or a stand-in that absorbs everything.
 * - a known value.
 */
type Fate = "loud" | "doubtful" | "some" | "harmless" | { readonly value: object };

/** What is known about the names in an expression. */
export interface Surrounding {
  /** The value that a variable has; undefined when it cannot be told without doing something. */
  readonly variable: (name: string) => { readonly value: unknown } | undefined;
  /** Variables that hold stand-ins which absorb everything. */
  readonly absorbing: ReadonlySet<string>;
  /** Names of private fields, which are no accessors. */
  readonly fields: ReadonlySet<string>;
  /** Filled with the variables that an expression reads. */
  readonly read: Map<string, unknown>;
}

/** `loud` when evaluating the expression may do more than make a value, `doubtful` when it calls code. */
export type Loudness = "loud" | "doubtful" | "quiet";

export function loudnessOf(node: ESTree.Expression, around: Surrounding): Loudness {
  const fate = fateOf(node, around);
  return fate === "loud" || fate === "doubtful" ? fate : "quiet";
}

type Maybe = ESTree.Expression | ESTree.SpreadElement | ESTree.Super | ESTree.PrivateIdentifier | null;

function fateOf(node: Maybe, around: Surrounding): Fate {
  switch (node?.type) {
    case "Literal":
      // Operators on some of these throw, and a regular expression is an object.
      return "regex" in node || "bigint" in node ? "some" : "harmless";
    case "Identifier":
      return ofVariable(node.name, around);
    case "ThisExpression":
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return "some";
    case "ChainExpression":
      return fateOf(node.expression, around);
    case "MemberExpression":
      return ofMember(node, around);
    case "CallExpression":
    case "NewExpression":
      return ofCall(node, around);
    default:
      return ofParts(node, around);
  }
}

function ofParts(node: Maybe, around: Surrounding): Fate {
  switch (node?.type) {
    case "ArrayExpression":
      return worst(node.elements.map((item) => (item === null ? "some" : fateOf(item, around))));
    case "ObjectExpression":
      return worst(node.properties.map((property) => ofProperty(property, around)));
    case "TemplateLiteral":
      return ofOperands(node.expressions, around);
    case "UnaryExpression":
      return ofUnary(node, around);
    case "BinaryExpression":
      return ofBinary(node, around);
    case "LogicalExpression":
      return ofChoice([node.left, node.right], around);
    case "ConditionalExpression":
      return ofChoice([node.test, node.consequent, node.alternate], around);
    default:
      return "loud";
  }
}

/** That of a whole of which the parts have these. */
function worst(fates: readonly Fate[]): Fate {
  if (fates.includes("loud")) return "loud";
  return fates.includes("doubtful") ? "doubtful" : "some";
}

function ofProperty(property: ESTree.Property | ESTree.SpreadElement, around: Surrounding): Fate {
  if (property.type === "SpreadElement" || property.computed) return "loud";
  return fateOf(property.value as ESTree.Expression, around);
}

function ofChoice(parts: readonly ESTree.Expression[], around: Surrounding): Fate {
  const fates = parts.map((part) => fateOf(part, around));
  return fates.every((fate) => fate === "harmless") ? "harmless" : worst(fates);
}

function ofOperands(operands: readonly Maybe[], around: Surrounding): Fate {
  return operands.every((operand) => fateOf(operand, around) === "harmless") ? "harmless" : "loud";
}

function ofUnary({ operator, argument }: ESTree.UnaryExpression, around: Surrounding): Fate {
  if (operator === "delete") return "loud";
  if (operator !== "!" && operator !== "typeof" && operator !== "void") return ofOperands([argument], around);
  return worst([fateOf(argument, around)]) === "some" ? "harmless" : "loud";
}

function ofBinary({ operator, left, right }: ESTree.BinaryExpression, around: Surrounding): Fate {
  if (operator === "in" || operator === "instanceof") return "loud";
  if (operator !== "===" && operator !== "!==") return ofOperands([left, right], around);
  return worst([fateOf(left, around), fateOf(right, around)]) === "some" ? "harmless" : "loud";
}

const CONSTANT: ReadonlySet<string> = new Set(["undefined", "NaN", "Infinity"]);

function ofVariable(name: string, { absorbing, variable, read }: Surrounding): Fate {
  if (CONSTANT.has(name)) return "harmless";
  const found = absorbing.has(name) ? { value: standIn } : variable(name);
  if (found === undefined) return "loud";
  read.set(name, found.value);
  return found.value === standIn ? "harmless" : ofValue(found.value);
}

function ofValue(value: unknown): Fate {
  if ((typeof value === "object" && value !== null) || typeof value === "function") return { value };
  return typeof value === "symbol" || typeof value === "bigint" ? "some" : "harmless";
}

function ofMember({ object, property, computed }: ESTree.MemberExpression, around: Surrounding): Fate {
  if (computed && (property.type !== "Literal" || "regex" in property)) return "loud";
  if (object.type === "ThisExpression") {
    // What is under construction inherits nothing.
    return property.type !== "PrivateIdentifier" || around.fields.has(property.name) ? "some" : "loud";
  }
  const owner = fateOf(object, around);
  if (owner === "harmless") return isAbsorbed(object, around) ? "harmless" : "loud";
  if (typeof owner === "string" || property.type === "PrivateIdentifier") return "loud";
  return ofPart(
    owner.value,
    property.type === "Identifier" ? property.name : String((property as ESTree.Literal).value),
  );
}

/** What comes from a stand-in is one; other primitives have members that a program may have changed. */
function isAbsorbed(node: Maybe, around: Surrounding): boolean {
  if (node?.type === "Identifier") return around.absorbing.has(node.name);
  if (node?.type === "MemberExpression") return isAbsorbed(node.object, around);
  if (node?.type === "CallExpression") return isAbsorbed(node.callee, around);
  return node?.type === "ChainExpression" && isAbsorbed(node.expression, around);
}

/** A property that is read without any code running. */
function ofPart(value: object, key: string): Fate {
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    if (types.isProxy(at)) return "loud";
    const descriptor = Reflect.getOwnPropertyDescriptor(at, key);
    if (descriptor !== undefined) return "value" in descriptor ? ofValue(descriptor.value) : "loud";
  }
  return "harmless";
}

/** That one was made shows nowhere. */
const MAKERS: ReadonlySet<object> = new Set<object>([
  Object,
  Array,
  Map,
  Set,
  WeakMap,
  WeakSet,
  Date,
  EventEmitter,
  ArrayBuffer,
  Uint8Array,
  Int32Array,
  Uint32Array,
  Float64Array,
]);

/** That one was called shows nowhere. */
const CALLS: ReadonlySet<object> = new Set<object>([
  Symbol,
  String,
  Number,
  Boolean,
  Date.now,
  Object.create,
  randomUUID,
]);

function ofCall(
  { type, callee, arguments: values }: ESTree.SimpleCallExpression | ESTree.NewExpression,
  around: Surrounding,
): Fate {
  const fates = values.map((value) => fateOf(value, around));
  const rest = worst(fates);
  if (rest === "loud") return "loud";
  if (isAbsorbed(callee, around)) return rest === "some" && type === "CallExpression" ? "harmless" : rest;
  const called = fateOf(callee, around);
  if (typeof called === "string") return "loud";
  const isHarmless = values.every((value, at) => fates[at] === "harmless" || isFreshArray(value, around));
  return isHarmless && (type === "NewExpression" ? MAKERS : CALLS).has(called.value) ? "some" : "doubtful";
}

/** Such as the entries of a new Map. */
function isFreshArray(node: Maybe, around: Surrounding): boolean {
  return node?.type === "ArrayExpression" && fateOf(node, around) === "some";
}
