import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const FUNCTIONS = fileURLToPath(new URL("../cluster/fixtures/functions.ts", import.meta.url));
const warnings: string[] = [];
let cluster: Cluster;
beforeAll(async () => {
  const log = {
    debug: () => {},
    info: () => {},
    warn: (message: string) => warnings.push(message),
    error: () => {},
  };
  cluster = await startCluster({ modules: [FUNCTIONS], log });
});
afterAll(() => cluster.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request as an attacker would make it: every header is the test's own. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, cluster.urls[0]),
      { method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const authorized = (): Record<string, string> => ({ authorization: `Bearer ${cluster.token}` });
const json = { "content-type": "application/json" };

test("attack 1: listening beyond loopback without a token is refused, and says how", async () => {
  const { code, stderr } = await runCommand([
    "start",
    "--embedded",
    "--host",
    "0.0.0.0",
    "--no-token",
    "--datadir",
    temporaryDirectory(),
  ]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/Cannot listen on 0\.0\.0\.0 without a token.*drop --no-token/);
});

const ROUTES = [
  ["POST", "/v1/jobs"],
  ["POST", "/v1/instant"],
  ["POST", "/v1/watch"],
  ["POST", "/v1/cancel"],
  ["GET", "/v1/events?client=12345678"],
  ["GET", "/v1/jobs/01890000-0000-7000-8000-000000000000"],
  ["GET", "/v1/nodes"],
  ["GET", "/v1/functions/test"],
  ["POST", "/rpc/test/add"],
  ["GET", "/nothing"],
] as const;

test.each(ROUTES)("attack 2: %s %s without the token, or with a wrong one, is 401", async (method, path) => {
  for (const headers of [
    {},
    { authorization: "Bearer wrong" },
    { authorization: `Basic ${cluster.token}` },
  ]) {
    const {
      status,
      headers: answered,
      body,
    } = await send(method, path, { ...json, ...headers }, method === "POST" ? "[1,2]" : undefined);
    expect(status === 401 || status === 429).toBe(true);
    expect(answered["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(body)).toMatchObject({ code: expect.stringMatching(/KS_UNAUTHORIZED|KS_BUSY/) });
    expect(body).not.toContain(cluster.token);
  }
});

test("attack 2: failed attempts are logged without the token, then limited; the right token still works", async () => {
  for (let attempt = 0; attempt < 40; attempt += 1)
    await send("GET", "/v1/nodes", { authorization: "Bearer guess" });
  expect((await send("GET", "/v1/nodes", { authorization: "Bearer guess" })).status).toBe(429);
  expect(warnings.some((line) => line.includes("without the right token"))).toBe(true);
  expect(warnings.join("\n")).not.toContain("guess");
  expect((await send("GET", "/v1/nodes", authorized())).status).toBe(200);
});

test("attack 2: /health answers without a token, and tells nothing", async () => {
  const { status, body } = await send("GET", "/health");
  expect(status).toBe(200);
  expect(Object.keys(JSON.parse(body) as object)).toEqual(["status", "version"]);
});

test.each([
  [{ host: "evil.example" }],
  [{ host: "evil.example:6323" }],
  [{ origin: "http://evil.example" }],
  [{ origin: "null" }],
  [{ "sec-fetch-site": "cross-site" }],
  [{ "sec-fetch-site": "same-site" }],
])("attack 3: a request with %j is 403, even with the token", async (headers) => {
  for (const path of ["/v1/nodes", "/health"])
    expect(
      await send("GET", path, { ...authorized(), ...(headers as Record<string, string>) }),
    ).toMatchObject({ status: 403 });
});

test("attack 3: the node's own names and origin pass", async () => {
  const { port } = new URL(cluster.urls[0] ?? "");
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])
    expect(await send("GET", "/v1/nodes", { ...authorized(), host, origin: `http://${host}` })).toMatchObject(
      { status: 200 },
    );
});

test.each(["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])(
  "attack 4: a change sent as %s is 415",
  async (type) => {
    for (const [, path] of ROUTES.filter(([method]) => method === "POST"))
      expect(await send("POST", path, { ...authorized(), "content-type": type }, "a=1")).toMatchObject({
        status: 415,
      });
  },
);

test("attack 4: no CORS headers are sent", async () => {
  const { headers, status } = await send("OPTIONS", "/rpc/test/add", {
    ...authorized(),
    origin: cluster.urls[0]?.replace(/\/$/, "") ?? "",
  });
  expect(status).toBe(404);
  expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
});

test("attack 5: a token in the URL is not accepted", async () => {
  const { status } = await send("GET", `/v1/nodes?token=${cluster.token}&access_token=${cluster.token}`);
  expect(status === 401 || status === 429).toBe(true);
});

describe("attack 6: secrets", () => {
  test("a worker's environment holds what is on the list and what was let through, and no token", async () => {
    process.env["KS_TEST_SECRET"] = "hidden";
    process.env["KS_TEST_LET"] = "let through";
    process.env["KITCHENSINK_TOKEN"] = "hidden too";
    try {
      const own = await startCluster({ env: ["KS_TEST_LET"] });
      const environment = await own.client.call(() => ({ ...process.env }));
      expect(environment["PATH"]).toBe(process.env["PATH"]);
      expect(environment["KS_TEST_LET"]).toBe("let through");
      expect(JSON.stringify(environment)).not.toMatch(/hidden/);
      const args = await own.client.call(() => [...process.argv, ...process.execArgv].join(" "));
      expect(args).not.toContain(own.token);
      await own.close();
    } finally {
      delete process.env["KS_TEST_SECRET"];
      delete process.env["KS_TEST_LET"];
      delete process.env["KITCHENSINK_TOKEN"];
    }
  });
});

test("attack 7: captured functions are refused where they are banned, before a byte of them is decoded", async () => {
  const banned = cluster.client.with({ rpcName: "test" });
  const refused = { code: "KS_ARBITRARY_BANNED" };
  await expect(banned.call(() => 1)).rejects.toMatchObject(refused);
  await expect(banned.with({ async: false }).call(() => 1)).rejects.toMatchObject(refused);
  // A function among the arguments of a registered one is code all the same.
  await expect(banned.call("add", () => 1, 2)).rejects.toMatchObject(refused);
  // So is anything that is revived by more than reading data, even where no code unit comes with it.
  await expect(banned.call("add", new URL("http://localhost/"), 2)).rejects.toMatchObject(refused);
  expect(await banned.call("add", 1, 2)).toBe(3);
  expect(await cluster.client.call(() => 1)).toBe(1);
});

test.each(["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"])(
  "attack 8: %s is not found, as function or as namespace",
  async (name) => {
    for (const path of [`/rpc/test/${name}`, `/rpc/${name}/add`, `/rpc/${name}/${name}`])
      expect(await send("POST", path, { ...authorized(), ...json }, "[]")).toMatchObject({ status: 404 });
    expect(await send("GET", `/v1/functions/${name}`, authorized())).toMatchObject({ status: 404 });
    await expect(cluster.client.call(name)).rejects.toMatchObject({ code: "KS_UNKNOWN_FUNCTION" });
  },
);
