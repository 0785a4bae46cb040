import { parseExpressionAt, type Node, type Pattern } from "acorn";
import { KitchenError } from "../../core/errors.ts";
import { isDefined, writtenFunction, type AnyFunction } from "../functions.ts";

/**
 * Arguments that were given by the names of the parameters, in the order of these; those that were left out are
 * `undefined`. A function made by `define`, and one whose only parameter takes an object apart, take them as they are.
 *
 * @throws KitchenError `KS_INVALID_ARGUMENTS` when no parameter has such a name
 */
export function argumentsByName(fn: AnyFunction, given: object): readonly unknown[] {
  if (isDefined(fn)) return [given];
  const parameters = parametersOf(fn);
  if (parameters.length === 1 && bare(parameters[0])?.type === "ObjectPattern") return [given];
  const names = parameters.map(nameOf).filter((name) => name !== undefined);
  const values = new Map(Object.entries(given));
  const strange = [...values.keys()].find((name) => !names.includes(name));
  if (strange !== undefined)
    throw misfit(
      `there is no parameter "${strange.slice(0, 100)}", ${names.length === 0 ? "and no other" : `only ${names.join(", ")}`}`,
    );
  if (names.length < parameters.length) throw misfit("not all parameters have names");
  return names.map((name) => values.get(name));
}

function misfit(why: string): KitchenError {
  return new KitchenError("KS_INVALID_ARGUMENTS", `The arguments do not fit: ${why} (send a JSON array)`);
}

const parsed = new WeakMap<AnyFunction, readonly Pattern[]>();

function parametersOf(fn: AnyFunction): readonly Pattern[] {
  let parameters = parsed.get(fn);
  if (parameters === undefined) parsed.set(fn, (parameters = parseParameters(fn)));
  return parameters;
}

/** None of a function that has no text of its own, such as a bound one. */
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

function bare(parameter: Pattern | undefined): Pattern | undefined {
  return parameter?.type === "AssignmentPattern" ? parameter.left : parameter;
}

function nameOf(parameter: Pattern): string | undefined {
  const pattern = bare(parameter);
  return pattern?.type === "Identifier" ? pattern.name : undefined;
}
