import { fileURLToPath } from "node:url";
import { Validator } from "@seriousme/openapi-schema-validator";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

const MODULES = ["functions.ts", "json-functions.ts", "schemas.ts"].map((name) =>
  fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url)),
);

interface Document extends Record<string, unknown> {
  readonly paths: Readonly<Record<string, { readonly post: Readonly<Record<string, unknown>> }>>;
  readonly components: { readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}

let cluster: Cluster;
let document: Document;
beforeAll(async () => {
  cluster = await startCluster({ modules: MODULES });
  document = (await (await get("openapi.json")).json()) as Document;
});
afterAll(() => cluster.close());

function get(path: string): Promise<Response> {
  return fetch(`${cluster.urls[0]}${path}`, { headers: { authorization: `Bearer ${cluster.token}` } });
}

async function post(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${cluster.urls[0]}rpc/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return await response.json();
}

const inputOf = (name: string): object | undefined => document.components.schemas[`${name}.input`];

test("the document is valid, and each of its references leads somewhere", async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(20);
  for (const [, pointer = ""] of references)
    expect(
      pointer.split("/").reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document),
    ).toBeDefined();
});

test("every registered function is an operation with its comment", () => {
  expect(document.paths["/rpc/test/add"]?.post).toMatchObject({
    operationId: "test.add",
    tags: ["test"],
    summary: "Adds two numbers.",
    requestBody: {
      content: { "application/json": { schema: { $ref: "#/components/schemas/test.add.input" } } },
    },
    responses: { default: { content: { "application/problem+json": {} } } },
  });
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(["/rpc/default/greet", "/rpc/json.more/add.one", "/rpc/schemas/%24"]),
  );
});

test("a generator's answer is lines", () => {
  expect(document.paths["/rpc/test/countdown"]?.post["responses"]).toHaveProperty([
    "200",
    "content",
    "application/x-ndjson",
  ]);
});

test.each([
  ["test.add", { type: "object", properties: { a: {}, b: { default: 1 } }, additionalProperties: false }],
  ["json.area", { type: "object", properties: { width: {}, height: { default: 1 } } }],
  ["json.longest", { type: "array" }],
  ["schemas.age", {}],
  ["schemas.even", {}],
])("what %s takes is told as far as its own form tells", (name, input) => {
  expect(inputOf(name)).toEqual(input);
});

test("what a function with a schema takes is told by the schema's library", () => {
  expect(inputOf("schemas.resize")).toMatchObject({
    type: "object",
    required: ["width"],
    properties: { width: { type: "integer" }, format: { enum: ["png", "jpeg"], default: "png" } },
  });
});

test("what may be no object is sent in an array, and taken", async () => {
  expect(document.paths["/rpc/schemas/even"]?.post["requestBody"]).toMatchObject({
    content: {
      "application/json": { schema: { type: "array", prefixItems: [{}], minItems: 1, maxItems: 1 } },
    },
  });
  expect(await post("schemas/even", [2])).toBe(2);
});

test("a call as the document describes it is taken", async () => {
  expect(await post("schemas/resize", { width: 3 })).toBe("3.png");
});

test("c.functions() tells it, too", async () => {
  const functions = await cluster.client.functions("test");
  expect(functions.find(({ name }) => name === "countdown")).toMatchObject({
    isGenerator: true,
    inputForm: "by-name",
    input: { properties: { from: {} } },
  });
});

test("a node without modules has a document without operations", async () => {
  await using empty = await startCluster();
  const headers = { authorization: `Bearer ${empty.token}` };
  const answer: unknown = await (await fetch(`${empty.urls[0]}openapi.json`, { headers })).json();
  expect(answer).toMatchObject({ openapi: "3.1.0", paths: {} });
  expect(await new Validator().validate(answer as Record<string, unknown>)).toEqual({ valid: true });
});
