import { nodeIn, nodesIn, textIn, type Syntax } from "./syntax.ts";

/** A function's type as it is written: `(a: number, b?: number): number`. What is not written is `unknown`. */
export function signatureOf(fn: Syntax, text: string): string {
  const parameters = nodesIn(fn, "params").filter((parameter) => textIn(parameter, "name") !== "this");
  const lastRequired = parameters.findLastIndex((parameter) => !isOptional(parameter));
  const list = parameters.map((parameter, at) => parameterText(parameter, { at, text, lastRequired }));
  const generics = nodeIn(fn, "typeParameters");
  const head = generics === undefined ? "" : text.slice(generics.start, generics.end);
  return `${head}(${list.join(", ")}): ${returnText(fn, text)}`;
}

function isOptional(parameter: Syntax): boolean {
  return (
    parameter.type === "AssignmentPattern" ||
    parameter.type === "RestElement" ||
    parameter["optional"] === true
  );
}

interface Place {
  readonly at: number;
  readonly text: string;
  readonly lastRequired: number;
}

function parameterText(parameter: Syntax, { at, text, lastRequired }: Place): string {
  const rest = parameter.type === "RestElement" ? nodeIn(parameter, "argument") : undefined;
  const pattern = (parameter.type === "AssignmentPattern" ? nodeIn(parameter, "left") : rest) ?? parameter;
  const name = textIn(pattern, "name") ?? `argument${at + 1}`;
  if (rest !== undefined)
    return `...${name}: ${typeText(parameter, text) ?? typeText(rest, text) ?? "unknown[]"}`;
  const type = typeText(pattern, text) ?? literalType(nodeIn(parameter, "right")) ?? "unknown";
  if (!isOptional(parameter)) return `${name}: ${type}`;
  return at < lastRequired ? `${name}: (${type}) | undefined` : `${name}?: ${type}`;
}

function typeText(node: Syntax, text: string, key = "typeAnnotation"): string | undefined {
  const annotation = nodeIn(node, key);
  const type = annotation === undefined ? undefined : nodeIn(annotation, "typeAnnotation");
  return type === undefined ? undefined : text.slice(type.start, annotation?.end);
}

function literalType(value: Syntax | undefined): string | undefined {
  const type = value?.type === "Literal" ? typeof value["value"] : undefined;
  return type === "string" || type === "number" || type === "boolean" ? type : undefined;
}

function returnText(fn: Syntax, text: string): string {
  const written = typeText(fn, text, "returnType");
  if (written !== undefined) return written;
  if (fn["generator"] === true)
    return fn["async"] === true ? "AsyncGenerator<unknown>" : "Generator<unknown>";
  return fn["async"] === true ? "Promise<unknown>" : "unknown";
}
