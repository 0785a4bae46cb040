/** Who may call a node at all. */
import type * as Crypto from "node:crypto";
import { timingSafeEqual } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Client } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommand } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { authorized, JSON_TYPE, send, type Answer, type Attempt } from "./support/attacker.ts";
import { isEndless, notingRoutes, type Route } from "./support/routes.ts";

vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof Crypto>();
  return { ...crypto, timingSafeEqual: vi.fn<typeof timingSafeEqual>(crypto.timingSafeEqual) };
});

const FUNCTIONS = fileURLToPath(new URL("fixtures/functions.mjs", import.meta.url));
const OPEN = ["/", "/dashboard", "/dashboard/:file", "/health", "/ready", "/v1/login"];
const log: string[] = [];
let cluster: Cluster;
let routes: readonly Route[];
beforeAll(async () => {
  const note = (message: string): void => void log.push(message);
  const started = await notingRoutes(() =>
    startCluster({ modules: [FUNCTIONS], log: { debug: note, info: note, warn: note, error: note } }),
  );
  cluster = started.result;
  routes = started.routes;
});
afterAll(() => cluster.close());

let lastAddress = 1;
/** An address of this machine that has not failed yet. */
const freshAddress = (): string => `127.0.${(lastAddress += 1) >> 8}.${lastAddress & 255}`;
const attempt = (what: Attempt): Promise<Answer> => send(cluster.urls[0]!, what);

describe("attack 1: listening beyond loopback without a token", () => {
  test.each(["0.0.0.0", "::", "192.0.2.1", "example.com", "127.0.0.1.example.com"])(
    "attack 1: --host %s with --no-token is refused before anything is started, and says how to go on",
    async (host) => {
      const { code, stdout, stderr } = await runCommand([
        "start",
        "--embedded",
        "--host",
        host,
        "--no-token",
        "--datadir",
        temporaryDirectory(),
      ]);
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/Cannot listen on \S+ without a token: .*\(drop --no-token, or --host\)/);
    },
  );
});

describe("attack 2: calling without the token", () => {
  test("attack 2: all routes are looked at here, those of data, jobs, items and nodes among them", () => {
    const patterns = new Set(routes.map(({ pattern }) => pattern));
    expect([...patterns]).toEqual(
      expect.arrayContaining([
        "/health",
        "/v1/jobs",
        "/v1/jobs/:id/items",
        "/v1/nodes",
        "/v1/data/*",
        "/v1/replicas/*",
        "/v1/uploads/:id",
        "/v1/parts/:id",
        "/rpc/:namespace/:name",
      ]),
    );
    expect(routes.length).toBeGreaterThan(30);
  });

  test("attack 2: every route but /health and /ready is 401 without the token, and with a wrong one", async () => {
    for (const { method, path, pattern } of routes) {
      if (OPEN.includes(pattern)) continue;
      for (const headers of [
        {},
        { authorization: "Bearer wrong" },
        { authorization: `Basic ${cluster.token}` },
        { authorization: `Bearer ${cluster.token}x` },
        { authorization: `Bearer ${cluster.token.slice(0, -1)}` },
        { authorization: "Bearer " },
        { cookie: `token=${cluster.token}`, "x-token": cluster.token },
      ]) {
        const answer = await attempt({
          method,
          path,
          from: freshAddress(),
          headers: { ...JSON_TYPE, ...headers },
        });
        expect(answer.status, `${method} ${path} ${JSON.stringify(headers)}`).toBe(401);
        expect(answer.headers["www-authenticate"]).toBe("Bearer");
        expect(answer.body).not.toContain(cluster.token);
        if (method !== "HEAD") expect(JSON.parse(answer.body)).toMatchObject({ code: "KS_UNAUTHORIZED" });
      }
    }
  });

  test("attack 2: with the token, no route is 401: the test above looks at what is there", async () => {
    const bodyless = routes.filter((route) => route.method === "GET" && !isEndless(route));
    for (const { method, path } of bodyless)
      expect((await attempt({ method, path, headers: authorized(cluster) })).status, path).not.toBe(401);
  });

  test.each(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"])(
    "attack 2: %s of what is not there is 401 too: without the token nobody learns what is there",
    async (method) => {
      for (const path of ["/dashboard/a/b", "/nothing", "/v1/%zz", `/v1/functions/${"a".repeat(4_000)}`])
        expect((await attempt({ method, path, from: freshAddress() })).status, path).toBe(401);
    },
  );

  test.each([
    "/health/../v1/nodes",
    "/health%2f..%2fv1%2fnodes",
    "/health;/v1/nodes",
    "/HEALTH",
    "/health/",
    "/v1/nodes?/health",
    "/v1/nodes#/health",
    "/v1/nodes/health",
    "/%68ealth/../v1/nodes",
  ])("attack 2: %s opens nothing that is closed", async (path) => {
    const { status, body } = await attempt({ path, from: freshAddress() });
    expect(status).toBe(401);
    expect(body).not.toContain("node1");
  });

  test("attack 2: the open routes tell nothing but that the node is there", async () => {
    const health = await attempt({ path: "/health" });
    expect(Object.keys(JSON.parse(health.body) as object)).toEqual(["status", "version"]);
    const ready = await attempt({ path: "/ready" });
    expect(JSON.parse(ready.body)).toEqual({ status: "ready" });
    expect((await attempt({ method: "POST", path: "/health", from: freshAddress() })).status).toBe(401);
  });

  test("attack 2: failures are logged without what was tried, and limited by address; the right token passes", async () => {
    const from = freshAddress();
    log.length = 0;
    const statuses: number[] = [];
    for (let tries = 0; tries < 50; tries += 1)
      statuses.push(
        (await attempt({ path: "/v1/nodes", from, headers: { authorization: "Bearer guess" } })).status,
      );
    expect(statuses).toEqual([...Array<number>(30).fill(401), ...Array<number>(20).fill(429)]);
    const last = await attempt({ path: "/v1/nodes", from, headers: { authorization: "Bearer guess" } });
    expect(last.headers["retry-after"]).toBeDefined();
    expect(JSON.parse(last.body)).toMatchObject({ code: "KS_BUSY" });
    // A flood of guesses is no flood of lines.
    expect(log).toEqual([
      ...Array<string>(30).fill(`refused a request without the right token from ${from}`),
      `more without the right token from ${from}: the rest of this minute gets 429, and no line`,
    ]);
    expect((await attempt({ path: "/v1/nodes", from, headers: authorized(cluster) })).status).toBe(200);
    expect((await attempt({ path: "/v1/nodes", from: freshAddress() })).status).toBe(401);
  });

  test("attack 2: the comparison takes the same time for every guess: digests of one length, compared by node:crypto", async () => {
    const compare = vi.mocked(timingSafeEqual);
    compare.mockClear();
    const guesses = ["x", cluster.token.slice(0, -1), `${cluster.token}x`, "y".repeat(5_000)];
    for (const guess of guesses)
      await attempt({
        path: "/v1/nodes",
        from: freshAddress(),
        headers: { authorization: `Bearer ${guess}` },
      });
    expect(compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength])).toEqual(
      guesses.map(() => [32, 32]),
    );
  });
});

describe("attack 5: a token in a URL", () => {
  test.each([
    (token: string) => `/v1/nodes?token=${token}&access_token=${token}&key=${token}`,
    (token: string) => `/v1/events?client=12345678&token=${token}`,
    (token: string) => `/v1/nodes?authorization=Bearer%20${token}`,
    (token: string) => `/${token}/v1/nodes`,
  ])("attack 5: is not accepted, nor told back or logged (%#)", async (path) => {
    log.length = 0;
    const { status, body } = await attempt({ path: path(cluster.token), from: freshAddress() });
    expect(status).toBe(401);
    expect(body).not.toContain(cluster.token);
    expect(log.join("\n")).not.toContain(cluster.token);
  });

  test.each([
    "http://user:sesame@localhost:1/",
    "http://sesame@localhost:1/",
    "http://localhost:1/?token=sesame",
  ])(
    "attack 5: clients and nodes do not take %s for an address, and do not repeat what is secret in it",
    async (url) => {
      let refusal: unknown;
      try {
        await new Client(url).close();
      } catch (error) {
        refusal = error;
      }
      expect(refusal).toMatchObject({ code: "KS_USAGE", message: expect.stringContaining("{ token }") });
      expect(String(refusal)).not.toContain("sesame");
      const { code, stderr } = await runCommand(["start", "--embedded", "--node-url", url]);
      expect(code).toBe(2);
      expect(stderr).toContain("http://localhost:1/");
      expect(stderr).not.toContain("sesame");
    },
  );
});
