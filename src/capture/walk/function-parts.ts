import type { Analysis } from "../source/analyse.ts";
import { claimedKeys, type RemovedKey } from "./classes.ts";
import { isUsualConstructor, usualParent } from "./extras.ts";
import { ownerOfPrototype } from "../resolve/reference-to.ts";
import { COMPUTED_NAME, type FunctionCode } from "../wire/units.ts";
import type { Walk } from "./walk.ts";
import type { FunctionNode, ProtoSlot } from "../wire/wire.ts";

/** How a method has to be written in an object literal to be found there again. */
export function methodParts({
  member,
  offset,
  form,
}: Analysis): Pick<FunctionCode, "methodName" | "computedName"> {
  if (member === null || (form !== "method" && form !== "getter" && form !== "setter")) return {};
  const { key, computed } = member as unknown as {
    key: { start: number; end: number; name?: string; value?: unknown };
    computed: boolean;
  };
  if (!computed) return { methodName: key.name ?? String(key.value) };
  return { methodName: COMPUTED_NAME, computedName: [key.start - offset, key.end - offset] };
}

/** Whether compiling the text gives the function its name, by itself or when it is put under that name. */
export function textName(fn: object, analysis: Analysis): { given?: string; isKept: boolean } {
  const descriptor = Reflect.getOwnPropertyDescriptor(fn, "name");
  const name: unknown = descriptor?.value;
  if (
    typeof name !== "string" ||
    descriptor?.configurable !== true ||
    descriptor.writable ||
    descriptor.enumerable
  )
    return { isKept: false };
  const { node, member, form } = analysis;
  if (member !== null) return { isKept: methodName(analysis, form) === name };
  if ("id" in node && node.id) return { isKept: node.id.name === name };
  if (form === "class" && analysis.hasStaticName) return { isKept: false };
  return name === "" || name === "__proto__" ? { isKept: name === "" } : { given: name, isKept: true };
}

function methodName(analysis: Analysis, form: string): string | undefined {
  const { methodName: name, computedName } = methodParts(analysis);
  if (computedName !== undefined || name === undefined) return undefined;
  return form === "getter" ? `get ${name}` : form === "setter" ? `set ${name}` : name;
}

export function functionParts(
  walk: Walk,
  fn: object,
  analysis: Analysis,
  isNameKept: boolean,
): Pick<FunctionNode, "properties" | "removed" | "sealed" | "proto" | "prototype"> {
  const isClass = analysis.form === "class";
  const claimed = isClass ? claimedKeys(walk, fn).statics : NOTHING;
  const prototype = Reflect.getOwnPropertyDescriptor(fn, "prototype")?.value as unknown;
  const isLinked = isObject(prototype) && (isClass || ownerOfPrototype(prototype) === fn);
  if (isClass && isLinked && ownerOfPrototype(prototype) !== fn && !walk.own(prototype, fn))
    walk.refuse(
      "its prototype object names another constructor, and was met as an object of its own",
      "send the class before its instances",
    );
  const isUsual = isLinked
    ? isUsualPrototype(walk, fn, prototype, analysis)
    : isUsualGenerator(fn, prototype);
  const properties = walk.properties(fn, (key) => {
    if (key === "name") return isNameKept;
    if (key === "prototype") return isLinked || isUsual;
    if (key === "length") return hasUsualLength(fn, analysis);
    return claimed.has(key) || ((key === "arguments" || key === "caller") && analysis.form !== "class");
  });
  const removed = removedKeys(walk, fn, isClass);
  return {
    properties,
    ...(removed.length === 0
      ? {}
      : {
          removed: removed.map(([isOwn, key]) => [isOwn, typeof key === "symbol" ? walk.slot(key, "") : key]),
        }),
    sealed: !Object.isExtensible(fn),
    proto: functionProto(walk, fn, analysis),
    ...(isLinked && !isUsual ? { prototype: walk.slot(prototype, ".prototype") } : {}),
  };
}

/** What the text makes and is not there any more. */
function removedKeys(walk: Walk, fn: object, isClass: boolean): readonly RemovedKey[] {
  const own = ["name", "length"].filter((key) => !Object.hasOwn(fn, key)).map((key) => [true, key] as const);
  if (!isClass) return own;
  const { prototype } = fn as { prototype: object };
  const maker = Object.hasOwn(prototype, "constructor") ? [] : [[false, "constructor"] as const];
  return [...own, ...maker, ...claimedKeys(walk, fn).removed];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

const NOTHING: ReadonlySet<string | symbol> = new Set();

function isUsualPrototype(walk: Walk, fn: object, prototype: object, analysis: Analysis): boolean {
  const claimed = analysis.form === "class" ? claimedKeys(walk, fn).members : NOTHING;
  const extra = Reflect.ownKeys(prototype).filter(
    (key) => !claimed.has(key) && !(key === "constructor" && isUsualConstructor(prototype, fn)),
  );
  if (extra.length > 0 || !Object.isExtensible(prototype)) return false;
  return Object.getPrototypeOf(prototype) === usualParent(fn, analysis.form === "class");
}

/** Every generator function has a fresh, empty object there. */
function isUsualGenerator(fn: object, prototype: unknown): boolean {
  if (typeof prototype !== "object" || prototype === null) return false;
  const usual = Reflect.get(Object.getPrototypeOf(fn) as object, "prototype") as unknown;
  return (
    Reflect.ownKeys(prototype).length === 0 &&
    Object.getPrototypeOf(prototype) === usual &&
    usual !== Function.prototype &&
    typeof usual === "object"
  );
}

function hasUsualLength(fn: object, { node, form }: Analysis): boolean {
  const descriptor = Reflect.getOwnPropertyDescriptor(fn, "length");
  if (descriptor?.configurable !== true || descriptor.writable === true || descriptor.enumerable === true)
    return false;
  if (form === "class" || !("params" in node)) return true;
  const optional = node.params.findIndex(
    ({ type }) => type === "AssignmentPattern" || type === "RestElement",
  );
  return descriptor.value === (optional < 0 ? node.params.length : optional);
}

function functionProto(walk: Walk, fn: object, { node, form }: Analysis): ProtoSlot {
  const proto = Object.getPrototypeOf(fn) as unknown;
  if (form === "class") {
    const hasParent = "superClass" in node && node.superClass != null;
    return hasParent || proto === Function.prototype ? 0 : walk.slot(proto, "(prototype)");
  }
  return proto === usualProto(node) ? 0 : walk.slot(proto, "(prototype)");
}

function usualProto(node: Analysis["node"]): unknown {
  if (!("params" in node)) return Function.prototype;
  const { async: isAsync, generator: isGenerator } = node;
  if (isAsync === true)
    return Object.getPrototypeOf(isGenerator === true ? async function* () {} : async () => {}) as unknown;
  return isGenerator === true ? (Object.getPrototypeOf(function* () {}) as unknown) : Function.prototype;
}
