import type { Pattern, Property } from "acorn";
import type { FunctionInfo, JsonSchema } from "../../core/messages.ts";
import { schemaOf, type AnyFunction, type StandardSchema } from "../functions.ts";
import { nameOf, parametersOf, takenApart } from "./parameters.ts";

/**
 * What a function takes: what its schema says, if its library can say it in JSON Schema; else an object with its
 * arguments by name; else, where not all parameters have names, the list of its arguments.
 */
export function inputOf(fn: AnyFunction): Pick<FunctionInfo, "input" | "inputForm"> {
  const schema = schemaOf(fn);
  if (schema !== undefined) return { input: fromLibrary(schema), inputForm: "one-argument" };
  const parameters = parametersOf(fn);
  const object = takenApart(parameters);
  if (object !== undefined)
    return { input: { type: "object", properties: fieldsOf(object.properties) }, inputForm: "one-argument" };
  const named = parameters.map((parameter) => [nameOf(parameter), defaultOf(parameter)] as const);
  if (named.some(([name]) => name === undefined)) return { input: { type: "array" }, inputForm: "list" };
  const properties = Object.fromEntries(named);
  return { input: { type: "object", properties, additionalProperties: false }, inputForm: "by-name" };
}

function fromLibrary(schema: StandardSchema): JsonSchema {
  try {
    return schema["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? {};
  } catch {
    // It has what JSON Schema cannot express.
    return {};
  }
}

function fieldsOf(properties: readonly { readonly type: string }[]): JsonSchema {
  const fields = properties.flatMap((property) => {
    if (property.type !== "Property") return [];
    const { key, value, computed } = property as Property & { readonly value: Pattern };
    return key.type === "Identifier" && !computed ? [[key.name, defaultOf(value)] as const] : [];
  });
  return Object.fromEntries(fields);
}

/** Types are gone from what runs; a default is still there. */
function defaultOf(parameter: Pattern): JsonSchema {
  if (parameter.type !== "AssignmentPattern") return {};
  const { right } = parameter;
  const isJson = right.type === "Literal" && ["string", "number", "boolean"].includes(typeof right.value);
  return isJson ? { default: right.value } : {};
}
