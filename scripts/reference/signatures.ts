/** Declarations as a user reads them: no bodies, and no modifiers that say nothing to a caller. */
import ts from "typescript";
import type { Declaration, Entry } from "./declarations.ts";

const MOST_COLUMNS = 100;

/** How something is called, in lines that are not too long. */
export function signatureOf(node: ts.SignatureDeclaration, name: string): string {
  const generics = node.typeParameters?.map((type) => type.getText()).join(", ");
  const head = `${name}${generics === undefined ? "" : `<${generics}>`}`;
  const parameters = node.parameters.map(parameterOf);
  const end = node.type === undefined ? ";" : `: ${oneLine(node.type)};`;
  const line = `${head}(${parameters.join(", ")})${end}`;
  if (line.length <= MOST_COLUMNS || parameters.length === 0) return line;
  return `${head}(\n${parameters.map((parameter) => `  ${parameter},\n`).join("")})${end}`;
}

function parameterOf({
  dotDotDotToken,
  questionToken,
  name,
  type,
  initializer,
}: ts.ParameterDeclaration): string {
  const isOptional = questionToken !== undefined || initializer !== undefined;
  const shown = ts.isIdentifier(name) ? name.text : "options";
  const typed = type === undefined ? typeOfDefault(initializer) : oneLine(type);
  return `${dotDotDotToken === undefined ? "" : "..."}${shown}${isOptional ? "?" : ""}: ${typed}`;
}

/** A default tells its type. */
function typeOfDefault(value: ts.Expression | undefined): string {
  if (value !== undefined && ts.isStringLiteral(value)) return "string";
  if (value !== undefined && ts.isNumericLiteral(value)) return "number";
  throw new Error(`No type is known for the default ${value?.getText()}`);
}

/** The first line of a class or interface, when there is more to it than a name. */
export function headOf(
  declaration: ts.ClassDeclaration | ts.InterfaceDeclaration,
  { kind, name }: Entry,
): string {
  const generics = declaration.typeParameters?.map((type) => type.getText()).join(", ");
  const clauses = declaration.heritageClauses?.map((clause) => ` ${oneLine(clause)}`).join("") ?? "";
  const more = `${generics === undefined ? "" : `<${generics}>`}${clauses}`;
  return more === "" ? "" : `${kind} ${name}${more}`;
}

/** A type or an interface as it is written. */
export function sourceOf(declaration: Declaration, { name, spelled }: Entry): string {
  if (spelled === undefined) return declaration.getText().replace(/^export /, "");
  const line = `type ${name} = ${spelled};`;
  return line.length <= MOST_COLUMNS ? line : `type ${name} =\n  | ${spelled.split(" | ").join("\n  | ")};`;
}

export function oneLine(node: ts.Node): string {
  return node.getText().replaceAll(/\s+/g, " ");
}
