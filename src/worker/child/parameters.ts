import { parseExpressionAt, type Node, type ObjectPattern, type Pattern } from "acorn";
import { writtenFunction, type AnyFunction } from "../functions.ts";

const parsed = new WeakMap<AnyFunction, readonly Pattern[]>();

/** The parameters that a function declares; none of one that has no text of its own, such as a bound one. */
export function parametersOf(fn: AnyFunction): readonly Pattern[] {
  let parameters = parsed.get(fn);
  if (parameters === undefined) parsed.set(fn, (parameters = parseParameters(fn)));
  return parameters;
}

function parseParameters(fn: AnyFunction): readonly Pattern[] {
  const text = Function.prototype.toString.call(writtenFunction(fn));
  // A method's text is one only in an object.
  for (const expression of [`(${text})`, `({${text}})`]) {
    try {
      const params = paramsIn(parseExpressionAt(expression, 0, { ecmaVersion: "latest" }));
      if (params !== undefined) return params;
    } catch {
      // Not of this form.
    }
  }
  return [];
}

function paramsIn(node: Node): readonly Pattern[] | undefined {
  if ("params" in node) return node.params as readonly Pattern[];
  if (!("properties" in node)) return undefined;
  const [method] = node.properties as readonly { readonly value: Node }[];
  return method === undefined ? undefined : paramsIn(method.value);
}

/** A parameter without its default. */
export function bare(parameter: Pattern): Pattern {
  return parameter.type === "AssignmentPattern" ? parameter.left : parameter;
}

export function nameOf(parameter: Pattern): string | undefined {
  const pattern = bare(parameter);
  return pattern.type === "Identifier" ? pattern.name : undefined;
}

/** The object that the only parameter takes apart. */
export function takenApart([first, ...more]: readonly Pattern[]): ObjectPattern | undefined {
  const pattern = first === undefined || more.length > 0 ? undefined : bare(first);
  return pattern?.type === "ObjectPattern" ? pattern : undefined;
}
