import { parse, type ImportDeclaration, type ImportSpecifier, type Program } from "acorn";

/** The statements, or undefined where it is no JavaScript. */
export function parsed(code: string): Program | undefined {
  try {
    return parse(code, { ecmaVersion: "latest", sourceType: "module", allowAwaitOutsideFunction: true });
  } catch {
    return undefined;
  }
}

/**
 * Static imports as dynamic ones, which is all that a REPL can do, and exports as what they export; every line stays where
 * it is. By `var`, so that a line can be typed again.
 */
export function withoutModuleSyntax(code: string, { body }: Program): string {
  let [text, at] = ["", 0];
  const replace = (start: number, end: number, by: string): void => {
    const lines = code.slice(start, end).split("\n").length - 1;
    text += code.slice(at, start) + by + "\n".repeat(lines);
    at = end;
  };
  for (const statement of body)
    if (statement.type === "ImportDeclaration") replace(statement.start, statement.end, dynamic(statement));
    else if (statement.type === "ExportNamedDeclaration" && statement.declaration != null)
      replace(statement.start, statement.declaration.start, "");
    // What oxc leaves of a module that had only types.
    else if (statement.type === "ExportNamedDeclaration" && statement.specifiers.length === 0)
      replace(statement.start, statement.end, "");
  return text + code.slice(at);
}

function dynamic({ source, specifiers }: ImportDeclaration): string {
  const module = `await import(${source.raw ?? JSON.stringify(source.value)})`;
  const whole = specifiers.find(({ type }) => type === "ImportNamespaceSpecifier");
  const parts = specifiers.flatMap((one) =>
    one.type === "ImportDefaultSpecifier"
      ? [`default: ${one.local.name}`]
      : one.type === "ImportSpecifier"
        ? [`${importedName(one)}: ${one.local.name}`]
        : [],
  );
  if (whole === undefined)
    return parts.length === 0 ? `${module};` : `var { ${parts.join(", ")} } = ${module};`;
  const { name } = whole.local;
  return `var ${name} = ${module};${parts.length === 0 ? "" : ` var { ${parts.join(", ")} } = ${name};`}`;
}

function importedName({ imported }: ImportSpecifier): string {
  return imported.type === "Identifier" ? imported.name : (imported.raw ?? JSON.stringify(imported.value));
}
