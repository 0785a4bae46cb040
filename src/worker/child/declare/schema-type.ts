import type { JsonSchema } from "../../../core/messages.ts";

/** How deep a schema is followed: one that refers to itself has no end. */
const MAX_DEPTH = 8;

/** The type of what a JSON Schema allows, as TypeScript; `unknown` where it cannot tell. */
export function typeOfSchema(schema: unknown, root: unknown = schema, depth = 0): string {
  if (!isSchema(schema) || depth > MAX_DEPTH) return "unknown";
  const inner = (part: unknown): string => typeOfSchema(part, root, depth + 1);
  const { $ref, type, anyOf, oneOf, allOf, const: only } = schema;
  if (typeof $ref === "string") return inner(found($ref, root));
  if (only !== undefined) return literal(only);
  if (Array.isArray(schema["enum"])) return union(schema["enum"].map(literal));
  if (Array.isArray(anyOf)) return union(anyOf.map(inner));
  if (Array.isArray(oneOf)) return union(oneOf.map(inner));
  if (Array.isArray(allOf)) return allOf.map((part) => `(${inner(part)})`).join(" & ");
  if (Array.isArray(type)) return union(type.map((one) => inner({ ...schema, type: one })));
  if (type === "object") return objectType(schema, inner);
  if (type === "array") return arrayType(schema, inner);
  return SIMPLE[String(type)] ?? "unknown";
}

const SIMPLE: Readonly<Record<string, string>> = {
  string: "string",
  number: "number",
  integer: "number",
  boolean: "boolean",
  null: "null",
};

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function union(types: readonly string[]): string {
  return types.length === 0 ? "never" : [...new Set(types)].join(" | ");
}

function literal(value: unknown): string {
  return typeof value === "object" && value !== null ? "unknown" : JSON.stringify(value);
}

function objectType(schema: JsonSchema, inner: (part: unknown) => string): string {
  const { properties, required, additionalProperties: more } = schema;
  const names = Array.isArray(required) ? required : [];
  const fields = Object.entries(isSchema(properties) ? properties : {}).map(
    ([name, part]) => `${JSON.stringify(name)}${names.includes(name) ? "" : "?"}: ${inner(part)};`,
  );
  if (fields.length > 0) return `{ ${fields.join(" ")} }`;
  return more === false ? "{}" : `Record<string, ${isSchema(more) ? inner(more) : "unknown"}>`;
}

function arrayType({ items, prefixItems }: JsonSchema, inner: (part: unknown) => string): string {
  if (!Array.isArray(prefixItems)) return `(${inner(items)})[]`;
  const rest = isSchema(items) ? [`...(${inner(items)})[]`] : [];
  return `[${[...prefixItems.map(inner), ...rest].join(", ")}]`;
}

/** A reference within the schema: `#/$defs/name`. */
function found(reference: string, root: unknown): unknown {
  const [start, ...path] = reference.split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return start === "#"
    ? path.reduce<unknown>((at, key) => (isSchema(at) ? at[key] : undefined), root)
    : undefined;
}
