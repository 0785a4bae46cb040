/** What a browser can be made to send, and what is no HTTP. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../store/support/redis.ts";
import { startNodeProcess } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { authorized, JSON_TYPE, RawConnection, send, sendText } from "./support/attacker.ts";
import { isEndless, notingRoutes, type Route } from "./support/routes.ts";

const FUNCTIONS = fileURLToPath(new URL("fixtures/functions.mjs", import.meta.url));
let cluster: Cluster;
let routes: readonly Route[];
let url: string;
let port: string;
beforeAll(async () => {
  const started = await notingRoutes(() => startCluster({ modules: [FUNCTIONS] }));
  cluster = started.result;
  routes = started.routes;
  url = cluster.urls[0]!;
  port = new URL(url).port;
});
afterAll(() => cluster.close());

/** A request's head, with the token and whatever else. */
const head = (line: string, ...headers: string[]): string =>
  [line, `authorization: Bearer ${cluster.token}`, ...headers, "", ""].join("\r\n");

describe("attack 3: a page that was led here, or that calls from elsewhere", () => {
  const hosts = [
    "evil.example",
    "evil.example:6323",
    "localhost.evil.example",
    "evil-localhost",
    "localhost.",
    "127.0.0.1.",
    "127.0.0.1.nip.io",
    "127.1",
    "2130706433",
    "0x7f000001",
    "[::ffff:127.0.0.1]",
    "localhost@evil.example",
    "evil.example#localhost",
    "localhost/evil.example",
    "localhost, evil.example",
    "localhost evil.example",
    "localhost:80:80",
    "localhost:",
    "[::1",
    "",
  ];
  test.each(hosts)("attack 3: the host %j is 403 on every path, even with the token", async (host) => {
    for (const path of ["/v1/nodes", "/health", "/nothing", "/v1/%zz"]) {
      const { statuses, received } = await sendText(url, head(`GET ${path} HTTP/1.1`, `host: ${host}`));
      expect(statuses, path).toEqual([403]);
      expect(received).toContain("KS_FORBIDDEN");
    }
  });

  test.each([
    ["no Host in HTTP/1.1", "GET /v1/nodes HTTP/1.1", [], 400],
    ["no Host in HTTP/1.0", "GET /v1/nodes HTTP/1.0", [], 403],
    [
      "two Hosts, the good one first",
      "GET /v1/nodes HTTP/1.1",
      ["host: localhost", "Host: evil.example"],
      400,
    ],
    [
      "two Hosts, the good one last",
      "GET /v1/nodes HTTP/1.1",
      ["HOST: evil.example", "host: localhost"],
      400,
    ],
    ["two Hosts that are the same", "GET /v1/nodes HTTP/1.1", ["host: localhost", "host: localhost"], 400],
    ["an address for a target", "GET http://evil.example/v1/nodes HTTP/1.1", ["host: localhost"], 400],
    ["its own address for a target", "GET http://localhost/v1/nodes HTTP/1.1", ["host: localhost"], 400],
    ["a target with a host alone", "GET //evil.example/v1/nodes HTTP/1.1", ["host: localhost"], 400],
    ["a target of *", "OPTIONS * HTTP/1.1", ["host: localhost"], 400],
  ] as const)("attack 3: %s is refused", async (_, line, headers, status) => {
    expect((await sendText(url, head(line, ...headers))).statuses).toEqual([status]);
  });

  test("attack 3: a request to be passed on to another host is refused as well", async () => {
    const { statuses, closed } = await sendText(
      url,
      head("CONNECT evil.example:80 HTTP/1.1", "host: localhost"),
    );
    await closed;
    expect(statuses).toEqual([]);
  });

  const elsewhere = (): Record<string, string>[] => [
    { origin: "http://evil.example" },
    { origin: `http://evil.example:${port}` },
    { origin: "http://localhost" },
    { origin: "http://localhost:1" },
    { origin: `http://127.0.0.1:${port}` },
    { origin: `http://localhost:${port}.evil.example` },
    { origin: `http://localhost:${port}@evil.example` },
    { origin: `http://localhost:${port}/` },
    { origin: `ftp://localhost:${port}` },
    { origin: `localhost:${port}` },
    { origin: "null" },
    { origin: "NULL" },
    { origin: "" },
    { origin: "file://" },
    { origin: `http://localhost:${port}, http://evil.example` },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "CROSS-SITE" },
    { "sec-fetch-site": "" },
    { "sec-fetch-site": "same-origin, cross-site" },
    { origin: `http://localhost:${port}`, "sec-fetch-site": "cross-site" },
  ];
  test("attack 3: pages of other origins get 403: of other hosts, other ports, none", async () => {
    for (const headers of elsewhere())
      for (const [method, path] of [
        ["GET", "/v1/nodes"],
        ["GET", "/health"],
        ["POST", "/rpc/test/add"],
        ["OPTIONS", "/v1/jobs"],
      ] as const) {
        const all = { ...authorized(cluster), ...JSON_TYPE, host: `localhost:${port}`, ...headers };
        const { status } = await send(url, { method, path, headers: all });
        expect(status, `${method} ${path} ${JSON.stringify(headers)}`).toBe(403);
      }
  });

  test("attack 3: the node's own names and origin pass, however they are written", async () => {
    for (const host of [
      `localhost:${port}`,
      `127.0.0.1:${port}`,
      `[::1]:${port}`,
      `LocalHost:${port}`,
      "localhost",
    ])
      for (const headers of [
        {},
        { "sec-fetch-site": "none" },
        { origin: `http://${host}`, "sec-fetch-site": "same-origin" },
        { origin: `https://${host.toUpperCase()}` },
      ]) {
        const all = { ...authorized(cluster), host, ...headers };
        expect((await send(url, { path: "/v1/nodes", headers: all })).status, JSON.stringify(all)).toBe(200);
      }
  });

  test("attack 3: names are added by --allow-host and --node-url, and no other names come with them", async () => {
    const listening = String(await freePort());
    const node = await startNodeProcess([
      "--embedded",
      "--node-port",
      listening,
      "--node-url",
      "http://kitchen.example/",
      "--allow-host",
      "Sink.Example",
    ]);
    const local = `http://127.0.0.1:${listening}/`;
    const status = async (host: string): Promise<number> =>
      (await send(local, { path: "/v1/nodes", headers: { ...authorized(node), host } })).status;
    expect(await status("kitchen.example")).toBe(200);
    expect(await status("sink.example:80")).toBe(200);
    expect(await status("other.example")).toBe(403);
    expect(await status("a.kitchen.example")).toBe(403);
  });
});

describe("attack 4: what a page can send without asking", () => {
  const types = [
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=x",
    "text/plain; application/json",
    "text/plain;charset=application/json",
    "application/jsonp",
    "application/x-www-form-urlencoded, application/json",
    "text/html",
    "json",
    " ",
  ];
  test.each(types)("attack 4: every change sent as %j is 415", async (type) => {
    const changes = routes.filter(({ method }) => ["POST", "PUT", "PATCH"].includes(method));
    expect(changes.length).toBeGreaterThan(10);
    for (const { method, path } of changes) {
      const headers = { ...authorized(cluster), "content-type": type };
      for (const body of ["a=1", ""])
        expect((await send(url, { method, path, headers, body })).status, `${method} ${path}`).toBe(415);
    }
  });

  test("attack 4: so is one without a content type, with a body or without", async () => {
    for (const { method, path } of routes.filter((route) => ["POST", "PUT", "PATCH"].includes(route.method)))
      for (const body of ["[1,2]", undefined]) {
        const { status } = await send(url, {
          method,
          path,
          headers: authorized(cluster),
          ...(body && { body }),
        });
        expect(status, `${method} ${path}`).toBe(415);
      }
  });

  test("attack 4: a GET changes nothing: no function, cancel or save can be reached by it", async () => {
    for (const path of [
      "/rpc/test/add",
      "/v1/cancel",
      "/v1/instant",
      "/v1/watch",
      "/v1/drops",
      "/v1/looks",
      "/v1/pulls",
    ])
      expect((await send(url, { path, headers: authorized(cluster) })).status, path).toBe(404);
  });

  test("attack 4: there is no CORS: a browser that asks first gets no leave, for no route", async () => {
    const paths = new Set(routes.map(({ path }) => path));
    const endless = new Set(routes.filter(isEndless).map(({ path }) => path));
    for (const path of paths)
      for (const method of ["OPTIONS", "GET"]) {
        if (method === "GET" && endless.has(path)) continue;
        const headers = {
          ...authorized(cluster),
          host: `localhost:${port}`,
          origin: `http://localhost:${port}`,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization, content-type",
        };
        const answer = await send(url, { method, path, headers });
        if (method === "OPTIONS") expect(answer.status, path).toBe(404);
        expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
      }
  });

  test("attack 4: a node without a token runs nothing for a page either", async () => {
    const directory = temporaryDirectory();
    const marked = join(directory, "called");
    const node = await startNodeProcess([
      "--embedded",
      "--no-token",
      "--module",
      fileURLToPath(new URL("fixtures/functions.mjs", import.meta.url)),
    ]);
    const call = (headers: Record<string, string>, body: string) =>
      send(node.url, { method: "POST", path: "/rpc/default/mark", headers, body });
    const page = { origin: "http://localhost:3000", "sec-fetch-site": "same-site" };
    const args = JSON.stringify([marked]);
    expect((await call({ ...page, ...JSON_TYPE }, args)).status).toBe(403);
    expect((await call({ origin: page.origin }, args)).status).toBe(403);
    expect((await call({ "content-type": "text/plain" }, args)).status).toBe(415);
    expect((await call({}, args)).status).toBe(415);
    expect((await call({}, "")).status).toBe(415);
    expect(existsSync(marked)).toBe(false);
    expect((await call(JSON_TYPE, args)).status).toBe(200);
    expect(existsSync(marked)).toBe(true);
  });
});

describe("attack 12: what is no HTTP, or can be read in two ways", () => {
  const post = (...headers: readonly string[]): string =>
    head("POST /rpc/test/add HTTP/1.1", "host: localhost", "content-type: application/json", ...headers);
  const get = (): string => head("GET /v1/nodes HTTP/1.1", "host: localhost");

  test.each([
    ["content-length and chunked", () => post("content-length: 5", "transfer-encoding: chunked")],
    ["chunked and content-length", () => post("transfer-encoding: chunked", "content-length: 5")],
    ["two lengths", () => post("content-length: 5", "content-length: 6")],
    ["one length twice", () => post("content-length: 5", "content-length: 5")],
    ["a list of lengths", () => post("content-length: 5, 5")],
    ["a length with a sign", () => post("content-length: +5")],
    ["a negative length", () => post("content-length: -5")],
    ["a hexadecimal length", () => post("content-length: 0x5")],
    ["no length where one is named", () => post("content-length:")],
    ["a length beyond all numbers", () => post("content-length: 99999999999999999999")],
    ["an unknown encoding", () => post("transfer-encoding: xchunked")],
    ["an encoding without an end", () => post("transfer-encoding: identity")],
    ["chunked twice", () => post("transfer-encoding: chunked", "transfer-encoding: chunked")],
    ["chunked, but not at the end", () => post("transfer-encoding: chunked, identity")],
    ["a space before the colon", () => post("transfer-encoding : chunked")],
    ["chunked in HTTP/1.0", () => post("transfer-encoding: chunked").replace("HTTP/1.1", "HTTP/1.0")],
    ["a chunk of a negative size", () => `${post("transfer-encoding: chunked")}-5\r\nhello\r\n`],
    ["a chunk beyond all numbers", () => `${post("transfer-encoding: chunked")}${"f".repeat(18)}\r\n`],
    ["a chunk without an end of line", () => `${post("transfer-encoding: chunked")}5;a\nb\r\n[1,2]\r\n`],
    ["lines without a carriage return", () => get().replaceAll("\r", "")],
    ["lines without a line feed", () => get().replaceAll("\n", "")],
    ["a header in two lines", () => head("GET / HTTP/1.1", "host: localhost", "x: a", " b")],
    ["a header without a colon", () => head("GET / HTTP/1.1", "host: localhost", "x")],
    ["a null byte in a header", () => head("GET / HTTP/1.1", "host: localhost", "x: a\0b")],
    ["a carriage return in a header", () => head("GET / HTTP/1.1", "host: localhost", "x: a\rb")],
    ["a header's name beyond ASCII", () => head("GET / HTTP/1.1", "host: localhost", "x\xff: a")],
    ["an unknown version", () => head("GET / HTTP/1.2", "host: localhost")],
    ["HTTP/2", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["TLS", () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["a method in lower case", () => head("get / HTTP/1.1", "host: localhost")],
    ["an unknown method", () => head("BREW / HTTP/1.1", "host: localhost")],
    ["a space in the target", () => head("GET /v1/nodes x HTTP/1.1", "host: localhost")],
  ] as [string, () => string][])(
    "attack 12: %s is 400, closes the connection, and hides no second request",
    async (_, text) => {
      const connection = await RawConnection.open(url);
      connection.send(`${text()}0\r\n\r\n${get()}`);
      await connection.closed;
      expect(connection.statuses).toEqual([400]);
      expect(connection.received).toContain("application/problem+json");
      expect(connection.received).toContain("KS_BAD_REQUEST");
      expect(connection.received).not.toContain("node1");
    },
  );

  test("attack 12: a body over the limit is answered before it comes, and nothing behind it is read", async () => {
    const connection = await RawConnection.open(url);
    connection.send(`${post("content-length: 999999999")}[1,2]${get()}`);
    await connection.closed;
    expect(connection.statuses).toEqual([413]);
  });

  test("attack 12: garbage behind a good request does not get into an answer that is under way", async () => {
    const connection = await RawConnection.open(url);
    connection.send(head("GET /v1/events?client=12345678 HTTP/1.1", "host: localhost"));
    await connection.answers();
    connection.send("garbage\r\n\r\n");
    await connection.closed;
    expect(connection.statuses).toEqual([200]);
    expect(connection.received).not.toContain("KS_BAD_REQUEST");
  });

  test("attack 12: an upgrade changes nothing, and two good requests in one piece are two", async () => {
    const upgrade = head("GET /v1/nodes HTTP/1.1", "host: localhost", "connection: upgrade", "upgrade: h2c");
    expect((await sendText(url, upgrade)).statuses).toEqual([200]);
    const pipelined = await RawConnection.open(url);
    expect(await pipelined.send(get() + get()).answers(2)).toEqual([200, 200]);
    pipelined.socket.destroy();
  });

  test("attack 12: a name with a line's end cannot split what a node sends to another", async () => {
    for (const path of ["/v1/data/a?node=x%0d%0aevil:1", "/v1/data/a%0d%0aevil:1", "/v1/replicas/a%0d%0ab"])
      for (const method of path.includes("replicas") ? ["GET"] : ["GET", "PUT", "DELETE"]) {
        const type = method === "PUT" ? { "content-type": "application/octet-stream" } : {};
        const { status } = await send(url, { method, path, headers: { ...authorized(cluster), ...type } });
        expect([400, 404], `${method} ${path}`).toContain(status);
      }
  });
});
