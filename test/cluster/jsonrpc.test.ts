import { existsSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  JSONRPCClient,
  JSONRPCErrorException,
  type JSONRPCRequest,
  type JSONRPCResponse,
} from "json-rpc-2.0";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../support/temporary.ts";

const FUNCTIONS = fileURLToPath(new URL("./fixtures/functions.ts", import.meta.url));
const MORE = fileURLToPath(new URL("./fixtures/json-functions.ts", import.meta.url));
let cluster: Cluster;
let client: JSONRPCClient;
beforeAll(async () => {
  cluster = await startCluster({ modules: [FUNCTIONS, MORE] });
  client = new JSONRPCClient(async (message: JSONRPCRequest | JSONRPCRequest[]) => {
    const answer = await post(JSON.stringify(message));
    if (answer.status === 200) client.receive(answer.body as JSONRPCResponse);
    else if (answer.status !== 204) throw new Error(`HTTP ${answer.status}`);
  });
});
afterAll(() => cluster.close());

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function post(body: string): Promise<Answer> {
  const response = await fetch(`${cluster.urls[0]}jsonrpc`, {
    method: "POST",
    headers: { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" },
    body,
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
}

const call = (request: object): Promise<Answer> =>
  post(JSON.stringify({ jsonrpc: "2.0", id: 1, ...request }));

describe("a client that knows nothing of this project", () => {
  test("calls by position and by name", async () => {
    expect(await client.request("test.add", [1, 2])).toBe(3);
    expect(await client.request("test.add", { b: 5, a: 2 })).toBe(7);
  });

  test("names functions of the namespace default alone, and those with a schema by their one object", async () => {
    expect(await client.request("greet", ["Ada"])).toBe("Hello, Ada!");
    expect(await client.request("default.greet", { name: "Bob" })).toBe("Hello, Bob!");
    expect(await client.request("double", [4])).toBe(8);
    expect(await client.request("json.area", { width: 2, height: 4 })).toBe(8);
  });

  test("names namespaces and functions that have dots in their names", async () => {
    expect(await client.request("json.more.add.one", [4])).toBe(5);
  });

  test("gets what the function threw, with its name and stack", async () => {
    const error: unknown = await client
      .request("test.buy", ["hats"])
      .then(String, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JSONRPCErrorException);
    expect(error).toMatchObject({
      code: -32_000,
      message: "no more hats",
      data: { code: null, name: "OutOfStock", stack: expect.stringContaining("functions.ts:") },
    });
  });

  test("sends a batch, and gets an answer for each request but notifications", async () => {
    const requests = Array.from({ length: 40 }, (_, id) => ({
      jsonrpc: "2.0" as const,
      ...(id === 7 ? {} : { id }),
      method: id === 3 ? "test.nothing" : "test.add",
      params: [id, 1],
    }));
    const answers = await client.requestAdvanced(requests as JSONRPCRequest[]);
    expect(answers.map(({ id }) => id)).toEqual(requests.flatMap(({ id }) => (id === undefined ? [] : [id])));
    expect(answers.find(({ id }) => id === 3)?.error?.code).toBe(-32_601);
    expect(answers.find(({ id }) => id === 39)?.result).toBe(40);
  });
});

test.each(["text", "", 0, -1, 1.5, Number.MAX_SAFE_INTEGER, null])("the id %j comes back", async (id) => {
  expect(await call({ id, method: "test.add", params: [1, 2] })).toEqual({
    status: 200,
    body: { jsonrpc: "2.0", id, result: 3 },
  });
});

test("what returns nothing has the result null", async () => {
  expect((await call({ method: "json.nothing" })).body).toEqual({ jsonrpc: "2.0", id: 1, result: null });
});

test.each([
  ['{"jsonrpc":"2.0","id":1,', null, -32_700],
  ["", null, -32_700],
  ["[]", null, -32_600],
  ["3", null, -32_600],
  ['{"id":1,"method":"test.add"}', 1, -32_600],
  ['{"jsonrpc":"2.0","id":1,"method":3}', 1, -32_600],
  ['{"jsonrpc":"2.0","id":1,"method":"test.add","params":3}', 1, -32_600],
  ['{"jsonrpc":"2.0","id":{},"method":"test.add"}', null, -32_600],
  ['{"jsonrpc":"2.0","id":12345678901234567890,"method":"test.add"}', null, -32_600],
  ['{"jsonrpc":"2.0","id":1,"method":"test.none"}', 1, -32_601],
  ['{"jsonrpc":"2.0","id":1,"method":"none"}', 1, -32_601],
  ['{"jsonrpc":"2.0","id":1,"method":"constructor"}', 1, -32_601],
  ['{"jsonrpc":"2.0","id":1,"method":"double","params":["x"]}', 1, -32_602],
  ['{"jsonrpc":"2.0","id":1,"method":"test.add","params":{"c":1}}', 1, -32_602],
  ['{"jsonrpc":"2.0","id":1,"method":"test.countdown","params":[3]}', 1, -32_000],
  ['{"jsonrpc":"2.0","id":1,"method":"test.pid","params":{"a":1}}', 1, -32_602],
])("%s is answered for the id %j with %i", async (body, id, code) => {
  const answer = await post(body);
  expect(answer).toMatchObject({ status: 200, body: { jsonrpc: "2.0", id, error: { code } } });
  expect(answer.body).toHaveProperty("error.message", expect.stringMatching(/.{15}/));
});

test("a batch says of each part that is no request that it is none", async () => {
  const { body } = await post('[1, {"jsonrpc":"2.0","id":"a","method":"test.add","params":[1]}]');
  expect(body).toMatchObject([
    { id: null, error: { code: -32_600 } },
    { id: "a", result: 2 },
  ]);
});

test("a batch of more than 1,000 requests is refused", async () => {
  const request = { jsonrpc: "2.0", id: 1, method: "test.pid" };
  const { body } = await post(JSON.stringify(Array.from({ length: 1_001 }, () => request)));
  expect(body).toMatchObject({
    id: null,
    error: { code: -32_600, message: expect.stringContaining("1000") },
  });
});

test("notifications are run, and get 204 and no body", async () => {
  const counted = async (): Promise<unknown> => await client.request("json.count", [0]);
  const before = Number(await counted());
  const notification = { jsonrpc: "2.0", method: "json.count", params: [1] };
  expect(await post(JSON.stringify(notification))).toEqual({ status: 204, body: undefined });
  expect(await post(JSON.stringify([notification, notification]))).toEqual({ status: 204, body: undefined });
  await expect.poll(counted).toBe(before + 3);
});

test("a generator's worker is free when its caller has heard that it cannot have the items", async () => {
  await call({ method: "test.countdown", params: [1e9] });
  expect(await client.request("test.add", [1])).toBe(2);
});

test("a caller that goes away ends its calls", async () => {
  const begun = join(temporaryDirectory(), "begun");
  const outgoing = httpRequest(`${cluster.urls[0]}jsonrpc`, {
    method: "POST",
    headers: { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" },
  });
  outgoing.on("error", () => {});
  outgoing.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "json.wait", params: [begun] }));
  await expect.poll(() => existsSync(begun)).toBe(true);
  outgoing.destroy();
  expect(await client.request("test.add", [1])).toBe(2);
});
