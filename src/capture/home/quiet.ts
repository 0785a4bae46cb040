import type * as ESTree from "estree";
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { types } from "node:util";
import { standIn } from "../scopes/stand-in.ts";

/** What is known about the names in an expression. */
export interface Surrounding {
  /** The value that a variable has; undefined when it cannot be told without doing something. */
  readonly variable: (name: string) => { readonly value: unknown } | undefined;
  /** Names of private fields, which are no accessors. */
  readonly fields: ReadonlySet<string>;
}

/** Whether evaluating an expression does nothing but make a value, as far as its text tells. */
export function isQuiet(node: ESTree.Expression, around: Surrounding): boolean {
  return fateOf(node, around) !== "loud";
}

/**
 * What evaluating an expression comes to:
 * - `loud`: perhaps more than a value.
 * - `some`: a value of which nothing is known, so that nothing may be done with it.
 * - `harmless`: a primitive, or a stand-in that absorbs everything.
 * - a known value.
 */
type Fate = "loud" | "some" | "harmless" | { readonly value: object };

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
      return ofAny(
        node.elements.filter((item) => item !== null),
        around,
      );
    case "ObjectExpression":
      return node.properties.every((property) => isQuietProperty(property, around)) ? "some" : "loud";
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

/** Of parts with which nothing is done. */
function ofAny(parts: readonly Maybe[], around: Surrounding): "loud" | "some" {
  return parts.every((part) => fateOf(part, around) !== "loud") ? "some" : "loud";
}

/** Of parts that may be turned into text or numbers. */
function ofOperands(parts: readonly Maybe[], around: Surrounding): "loud" | "harmless" {
  return parts.every((part) => fateOf(part, around) === "harmless") ? "harmless" : "loud";
}

/** Of parts one of which is the value. */
function ofChoice(parts: readonly Maybe[], around: Surrounding): Fate {
  return ofOperands(parts, around) === "harmless" ? "harmless" : ofAny(parts, around);
}

function isQuietProperty(property: ESTree.Property | ESTree.SpreadElement, around: Surrounding): boolean {
  if (property.type === "SpreadElement" || property.computed) return false;
  return fateOf(property.value as ESTree.Expression, around) !== "loud";
}

function ofUnary({ operator, argument }: ESTree.UnaryExpression, around: Surrounding): Fate {
  if (operator === "delete") return "loud";
  if (operator !== "!" && operator !== "typeof" && operator !== "void") return ofOperands([argument], around);
  return ofAny([argument], around) === "some" ? "harmless" : "loud";
}

function ofBinary({ operator, left, right }: ESTree.BinaryExpression, around: Surrounding): Fate {
  if (operator === "in" || operator === "instanceof") return "loud";
  if (operator !== "===" && operator !== "!==") return ofOperands([left, right], around);
  return ofAny([left, right], around) === "some" ? "harmless" : "loud";
}

const CONSTANT: ReadonlySet<string> = new Set(["undefined", "NaN", "Infinity"]);

function ofVariable(name: string, { variable }: Surrounding): Fate {
  if (CONSTANT.has(name)) return "harmless";
  const found = variable(name);
  return found === undefined ? "loud" : ofValue(found.value);
}

function ofValue(value: unknown): Fate {
  if (value === standIn) return "harmless";
  if ((typeof value === "object" && value !== null) || typeof value === "function") return { value };
  return typeof value === "symbol" || typeof value === "bigint" ? "some" : "harmless";
}

function ofMember({ object, property, computed }: ESTree.MemberExpression, around: Surrounding): Fate {
  if (computed) return "loud";
  if (object.type === "ThisExpression") {
    // What is under construction inherits nothing.
    return property.type !== "PrivateIdentifier" || around.fields.has(property.name) ? "some" : "loud";
  }
  const owner = fateOf(object, around);
  if (owner === "harmless") return isAbsorbing(object, around) ? "harmless" : "loud";
  return typeof owner === "string" || property.type !== "Identifier"
    ? "loud"
    : ofPart(owner.value, property.name);
}

/** What comes from a stand-in is one; other primitives have members that a program may have changed. */
function isAbsorbing(node: Maybe, around: Surrounding): boolean {
  if (node?.type === "Identifier") return around.variable(node.name)?.value === standIn;
  if (node?.type === "MemberExpression") return isAbsorbing(node.object, around);
  if (node?.type === "CallExpression") return isAbsorbing(node.callee, around);
  return node?.type === "ChainExpression" && isAbsorbing(node.expression, around);
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

/** That one was made, or called, shows nowhere. */
const UNSEEN = {
  NewExpression: new Set<object>([Object, Array, Map, Set, WeakMap, WeakSet, Date, EventEmitter]),
  CallExpression: new Set<object>([Symbol, String, Number, Boolean, Date.now, randomUUID]),
};

function ofCall(
  { type, callee, arguments: values }: ESTree.SimpleCallExpression | ESTree.NewExpression,
  around: Surrounding,
): Fate {
  if (isAbsorbing(callee, around)) return ofAny(values, around) === "some" ? "harmless" : "loud";
  const called = fateOf(callee, around);
  const isKnown = typeof called !== "string" && UNSEEN[type].has(called.value);
  return isKnown && ofOperands(values, around) === "harmless" ? "some" : "loud";
}
