import type * as ESTree from "estree";
import { type Analysis } from "./analyse.ts";
import { endOf, startOf } from "./offsets.ts";
import { codeOf } from "../revive/compile.ts";

export type Member = ESTree.ClassBody["body"][number];

export function isClassFunction(fn: object): boolean {
  return typeof fn === "function" && /^class\b/.test(sourceOf(fn));
}

export function sourceOf(fn: object): string {
  return codeOf(fn)?.source ?? Function.prototype.toString.call(fn);
}

export function bodyOf({ node }: Analysis): readonly Member[] {
  return node.body.type === "ClassBody" ? node.body.body : [];
}

export function memberText(member: Member, source: string, offset: number): string {
  const text = source.slice(startOf(member) - offset, endOf(member) - offset);
  return "static" in member && member.static ? text.replace(/^static\s*/, "") : text;
}

export function literalKey(key: ESTree.Node): string | undefined {
  if (key.type === "Identifier") return key.name;
  return key.type === "Literal" ? String(key.value) : undefined;
}

/** A computed key that is the same wherever it is evaluated. */
export function isFixedKey(key: ESTree.Node): boolean {
  if (key.type === "Literal") return true;
  return (
    key.type === "MemberExpression" &&
    key.object.type === "Identifier" &&
    key.object.name === "Symbol" &&
    !key.computed
  );
}

export interface PrivateNames {
  readonly fields: readonly string[];
  readonly statics: readonly string[];
  /** Instances have private members, be they only methods. */
  readonly any: boolean;
}

export function privateNamesIn(body: readonly Member[]): PrivateNames {
  const fields: string[] = [];
  const statics: string[] = [];
  let any = false;
  for (const member of body) {
    if (member.type === "StaticBlock" || member.key.type !== "PrivateIdentifier") continue;
    if (!member.static) any = true;
    if (member.type === "PropertyDefinition") (member.static ? statics : fields).push(member.key.name);
  }
  return { fields, statics, any };
}
