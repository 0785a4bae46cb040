import { analyse } from "../source/analyse.ts";
import { bodyOf, memberText, sourceOf } from "../source/class-text.ts";
import { namesDeclaredIn } from "../home/constructors.ts";

/** A function that stands in the text of a class. It can be called and paused, and sees what is around the class. */
export interface Method {
  readonly fn: object;
  /** Of a generator V8 does not show the arguments. */
  readonly isGenerator: boolean;
  /** Names in it that may hide those around it. */
  readonly names: readonly string[];
}

/** The methods and accessors of its text that a class still has, whatever they are called now. */
export function methodsOf(klass: object): Method[] {
  const source = sourceOf(klass);
  const analysis = analyse(source);
  const functions = functionsOf(klass);
  return bodyOf(analysis).flatMap((member) => {
    const fn = functions.get(memberText(member, source, analysis.offset));
    if (fn === undefined || member.type !== "MethodDefinition") return [];
    const { value } = member;
    return [{ fn, isGenerator: value.generator === true, names: namesDeclaredIn(value) }];
  });
}

function functionsOf(klass: object): Map<string, object> {
  const holders = [(klass as { prototype: object }).prototype, klass];
  const parts = holders.flatMap((holder) =>
    Reflect.ownKeys(holder).flatMap((key) => {
      const { value, get, set } = Reflect.getOwnPropertyDescriptor(holder, key) ?? {};
      return [value as unknown, get, set];
    }),
  );
  const functions = parts.filter((part) => typeof part === "function");
  return new Map(functions.map((fn) => [sourceOf(fn), fn]));
}
