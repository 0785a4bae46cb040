import { transformSync, type OxcError } from "oxc-transform";
import { aligned } from "./aligned.ts";
import { parsed, withoutModuleSyntax } from "./imports.ts";

/** What was typed, as JavaScript; `incomplete`: more has to be typed; `neither`: it is no TypeScript either. */
export type Translated =
  | { readonly type: "javascript"; readonly code: string }
  | { readonly type: "incomplete" | "neither"; readonly error: SyntaxError };

/** JavaScript stays as it was typed, so that functions look as their author wrote them. */
export function translate(typed: string): Translated {
  const program = parsed(typed);
  if (program !== undefined) return { type: "javascript", code: withoutModuleSyntax(typed, program) };
  const { code, map, errors } = transformSync("repl.ts", typed, {
    sourceType: "module",
    sourcemap: true,
    // An import may be used by lines that are yet to be typed.
    typescript: { onlyRemoveTypeImports: true },
  });
  const [error] = errors;
  if (error !== undefined) {
    const type = isIncomplete(error, typed) ? "incomplete" : "neither";
    return { type, error: new SyntaxError(error.message) };
  }
  const lines = map === undefined ? code : aligned(code, JSON.stringify(map));
  const stripped = parsed(lines);
  return { type: "javascript", code: stripped === undefined ? lines : withoutModuleSyntax(lines, stripped) };
}

function isIncomplete({ message, labels }: OxcError, typed: string): boolean {
  const end = typed.trimEnd().length;
  return (
    message.includes("`EOF`") ||
    message.startsWith("Unterminated multiline") ||
    labels.some(({ start }) => start >= end || (message.startsWith("Unterminated") && typed[start] === "`"))
  );
}
