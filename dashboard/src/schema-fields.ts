/** Fields for the arguments of a function, made of the JSON Schema that it tells. */
import type { FunctionInfo, JsonSchema } from "../../src/core/messages.ts";

export interface Field {
  /** Of the argument, or of the argument's property. */
  readonly name: string;
  /** `json`: whatever has no field of its own. */
  readonly kind: "text" | "number" | "integer" | "choice" | "json";
  /** What may be chosen. */
  readonly options: readonly unknown[];
  readonly isRequired: boolean;
  /** What it takes, in a few words. */
  readonly hint: string;
  readonly description: string;
}

/** What was typed, by the names of the fields. */
export type Typed = Readonly<Record<string, string>>;

/** One for each argument that has a name; `undefined`: there is no telling, so that the arguments are one JSON text. */
export function fieldsOf({ input, inputForm }: FunctionInfo): readonly Field[] | undefined {
  if (inputForm === "list") return undefined;
  if (isPlainObject(input)) {
    const required: unknown = input["required"];
    const names = Array.isArray(required) ? required : [];
    return Object.entries(input["properties"]).map(([name, schema]) =>
      fieldOf(name, resolved(schema, input), names.includes(name)),
    );
  }
  return [fieldOf(ONLY, resolved(input, input), true)];
}

/** What stands for the name of the one argument that is no object. */
const ONLY = "argument";

type WithProperties = JsonSchema & { readonly properties: Readonly<Record<string, unknown>> };

function isPlainObject(schema: JsonSchema): schema is WithProperties {
  return schema["type"] === "object" && isSchema(schema["properties"]);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a reference inside of the whole schema stands for. */
function resolved(schema: unknown, whole: JsonSchema): JsonSchema {
  if (!isSchema(schema)) return {};
  const reference = schema["$ref"];
  if (typeof reference !== "string" || !reference.startsWith("#/")) return schema;
  let found: unknown = whole;
  for (const key of reference.slice(2).split("/")) found = isSchema(found) ? found[key] : undefined;
  return isSchema(found) ? found : {};
}

function fieldOf(name: string, schema: JsonSchema, isNeeded: boolean): Field {
  const { enum: choices, type, description } = schema;
  const isRequired = isNeeded && schema["default"] === undefined;
  const options = "const" in schema ? [schema["const"]] : type === "boolean" ? [true, false] : choices;
  const kind = Array.isArray(options) ? "choice" : (KINDS[String(type)] ?? "json");
  return {
    name,
    kind,
    options: Array.isArray(options) ? (options as unknown[]) : [],
    isRequired,
    hint: hintOf(schema, kind, isRequired),
    description: typeof description === "string" ? description : "",
  };
}

const KINDS: Readonly<Record<string, Field["kind"]>> = {
  string: "text",
  number: "number",
  integer: "integer",
};
const WORDS: Readonly<Record<Field["kind"], string>> = {
  text: "text",
  number: "number",
  integer: "whole number",
  choice: "choice",
  json: "JSON",
};

function hintOf(schema: JsonSchema, kind: Field["kind"], isRequired: boolean): string {
  const { format, minimum, maximum, minLength, maxLength } = schema;
  const said = schema["default"];
  // What a library writes for "any whole number" says nothing.
  const bound = (value: unknown): value is number =>
    typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  return [
    WORDS[kind],
    typeof format === "string" ? format : "",
    bound(minimum) ? `at least ${minimum}` : "",
    bound(maximum) ? `at most ${maximum}` : "",
    bound(minLength) ? `at least ${minLength} characters` : "",
    bound(maxLength) ? `at most ${maxLength} characters` : "",
    said === undefined ? "" : `default ${JSON.stringify(said)}`,
    // A parameter without a type does not tell.
    isRequired || said !== undefined || Object.keys(schema).length === 0 ? "" : "may be left out",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** What was typed into a field: its value, nothing when it was left out, or what is wrong with it. */
export function parseField(
  { kind, options, isRequired }: Field,
  typed: string,
): { readonly value?: unknown; readonly problem?: string } {
  if (typed.trim() === "" && !(kind === "text" && isRequired))
    return isRequired ? { problem: "A value is needed" } : {};
  switch (kind) {
    case "text":
      return { value: typed };
    case "choice":
      return { value: options[Number(typed)] };
    case "json":
      return parseJson(typed);
    default:
      return parseNumber(typed, kind);
  }
}

export function parseJson(typed: string): { readonly value?: unknown; readonly problem?: string } {
  try {
    return { value: JSON.parse(typed) as unknown };
  } catch {
    return { problem: 'This is no JSON: a text needs quotes, as in "text"' };
  }
}

function parseNumber(typed: string, kind: Field["kind"]): { readonly value?: number; problem?: string } {
  const value = Number(typed);
  if (!Number.isFinite(value)) return { problem: "Expected a number" };
  return kind === "integer" && !Number.isInteger(value) ? { problem: "Expected a whole number" } : { value };
}

/** The body of a call, or what is wrong with single fields. */
export function bodyOf(
  { inputForm, input }: FunctionInfo,
  fields: readonly Field[],
  typed: Typed,
): { readonly body: unknown } | { readonly problems: Readonly<Record<string, string>> } {
  const parsed = fields.map((field) => [field.name, parseField(field, typed[field.name] ?? "")] as const);
  const problems = parsed.flatMap(([name, { problem }]) => (problem === undefined ? [] : [[name, problem]]));
  if (problems.length > 0) return { problems: Object.fromEntries(problems) as Record<string, string> };
  const given = parsed.filter(([, one]) => "value" in one).map(([name, { value }]) => [name, value] as const);
  const isOne = inputForm === "one-argument" && !isPlainObject(input);
  return { body: isOne ? given.map(([, value]) => value) : Object.fromEntries(given) };
}

const MISFIT = "The arguments do not fit: ";

/** Which fields the node has something against; `undefined`: it does not say so of any. */
export function problemsIn(
  message: string,
  fields: readonly Field[],
): Readonly<Record<string, string>> | undefined {
  const [only] = fields;
  const found: Record<string, string> = {};
  let last: string | undefined;
  for (const part of message.slice(message.indexOf(MISFIT) + MISFIT.length).split("; ")) {
    const field = fields.find(({ name }) => part.startsWith(`${name}: `) || part.startsWith(`${name}.`));
    // What belongs to none goes on with what was said before.
    const name = field?.name ?? last ?? (only?.name === ONLY ? ONLY : undefined);
    if (name === undefined) return undefined;
    const said = part.startsWith(`${name}: `) ? part.slice(name.length + 2) : part;
    found[name] = found[name] === undefined ? said : `${found[name]}; ${said}`;
    last = name;
  }
  return message.includes(MISFIT) ? found : undefined;
}
