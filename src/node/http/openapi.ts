import type { FunctionInfo, JsonSchema } from "../../core/messages.ts";
import { PACKAGE_VERSION } from "../../core/version.ts";

export interface OpenApiOptions {
  readonly clusterName: string;
  readonly asksForToken: boolean;
  readonly functions: readonly FunctionInfo[];
}

/** An OpenAPI 3.1 document of the registered functions: `POST /rpc/:namespace/:function` of each. */
export function openApiDocument({ clusterName, asksForToken, functions }: OpenApiOptions): object {
  return {
    openapi: "3.1.0",
    info: { title: `Functions of the cluster ${clusterName}`, version: PACKAGE_VERSION },
    servers: [{ url: "/" }],
    security: asksForToken ? [{ token: [] }] : [],
    paths: Object.fromEntries(functions.map((info) => [pathOf(info), { post: operationOf(info) }])),
    components: {
      schemas: {
        Problem: PROBLEM,
        ...Object.fromEntries(functions.map((info) => [keyOf(info), inputOf(info)])),
      },
      ...(asksForToken ? { securitySchemes: { token: { type: "http", scheme: "bearer" } } } : {}),
    },
  };
}

function pathOf({ namespace, name }: FunctionInfo): string {
  return `/rpc/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

function operationOf(info: FunctionInfo): object {
  const { namespace, name, doc, isGenerator } = info;
  const [summary = ""] = doc.split("\n");
  const result = isGenerator
    ? { description: "A line of JSON for each item", content: { "application/x-ndjson": { schema: {} } } }
    : { description: "What the function returned", content: { "application/json": { schema: {} } } };
  return {
    operationId: `${namespace}.${name}`,
    tags: [namespace],
    ...(doc === "" ? {} : { summary, description: doc }),
    requestBody: { content: { "application/json": { schema: bodyOf(info) } } },
    responses: { 200: result, default: FAILURE },
  };
}

/** An array is the list of arguments: what is no object, and may be one, is sent in it. */
function bodyOf(info: FunctionInfo): JsonSchema {
  const input = { $ref: `${SCHEMAS}${keyOf(info)}` };
  if (info.inputForm !== "one-argument" || info.input["type"] === "object") return input;
  return { type: "array", prefixItems: [input], minItems: 1, maxItems: 1 };
}

const SCHEMAS = "#/components/schemas/";

const FAILURE = {
  description: "The call came to nothing, or the function threw",
  content: { "application/problem+json": { schema: { $ref: `${SCHEMAS}Problem` } } },
};

/** RFC 9457, with what this project adds. */
const PROBLEM = {
  type: "object",
  required: ["type", "title", "status", "detail"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", description: "One of docs/errors.md; not there for what a function threw" },
    stack: { type: "string", description: "Of what a function threw" },
  },
};

/** The schema's place among the components, whose keys may have fewer characters than names. */
function keyOf({ namespace, name }: FunctionInfo): string {
  return `${namespace}.${name}.input`.replaceAll("$", "_");
}

/** Its references are to itself, and it is a part of a document now. */
function inputOf(info: FunctionInfo): JsonSchema {
  const { $schema: _, ...schema } = info.input;
  return moved(schema, `${SCHEMAS}${keyOf(info)}`) as JsonSchema;
}

function moved(value: unknown, place: string): unknown {
  if (Array.isArray(value)) return value.map((item) => moved(item, place));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]: [string, unknown]) => [
    key,
    key === "$ref" && typeof inner === "string" ? inner.replace(/^#/, place) : moved(inner, place),
  ]);
  return Object.fromEntries(entries);
}
