import { types } from "node:util";
import { knownPath } from "./known.ts";
import { modulePart } from "./modules.ts";
import { sharedName } from "./shared.ts";
import type { Node } from "../wire/wire.ts";

/** A node for what the worker has under the same name. */
export function referenceTo(value: object): Node | undefined {
  const path = knownPath(value);
  if (path !== undefined) return ["known", path];
  const name = sharedName(value);
  if (name !== undefined) return ["shared", name];
  const part = modulePart(value);
  if (part === undefined) return undefined;
  return "id" in part ? ["builtin", part.id, part.path] : ["package", part.reference, part.path];
}

/** A function's or class's own `prototype` belongs to it and is made with it. */
export function ownerOfPrototype(value: object): object | undefined {
  const owner = Reflect.getOwnPropertyDescriptor(value, "constructor")?.value as unknown;
  if (typeof owner !== "function" || types.isProxy(owner)) return undefined;
  return Reflect.getOwnPropertyDescriptor(owner, "prototype")?.value === value ? owner : undefined;
}
