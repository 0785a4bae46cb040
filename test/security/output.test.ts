/** What functions and callers write, where people and browsers see it. */
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLog } from "../../src/cli/log.ts";
import { authorized, JSON_TYPE, RawConnection, send, type Answer, type Attempt } from "./support/attacker.ts";
import { isEndless, notingRoutes, type Route } from "./support/routes.ts";

const FUNCTIONS = fileURLToPath(new URL("fixtures/functions.mjs", import.meta.url));
const HTML = "<script>alert(1)</script>";
const ESCAPES = "\u001b]0;title\u0007\u001b[2J\u001b[31mred\u001b[0m\u009b1m\r\b\u0000\u202e<b>";
let cluster: Cluster;
let routes: readonly Route[];
beforeAll(async () => {
  const started = await notingRoutes(() => startCluster({ modules: [FUNCTIONS] }));
  cluster = started.result;
  routes = started.routes;
});
afterAll(() => cluster.close());

const attempt = (what: Attempt): Promise<Answer> =>
  send(cluster.urls[0]!, { ...what, headers: { ...authorized(cluster), ...what.headers } });

class Sink extends Writable {
  bytes: Buffer = Buffer.alloc(0);
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    done();
  }
}

describe("attack 14: in a terminal", () => {
  test("attack 14: output arrives byte by byte as it was printed, as it would have locally", async () => {
    const [stdout, stderr] = [new Sink(), new Sink()];
    const client = cluster.connect(0, { output: { stdout, stderr } });
    await client.call((text: string) => {
      process.stdout.write(text);
      process.stderr.write(Buffer.from(text).toReversed());
    }, ESCAPES);
    expect(stdout.bytes.toString()).toBe(ESCAPES);
    expect([...stderr.bytes]).toEqual(Array.from(Buffer.from(ESCAPES).toReversed()));
  });

  test("attack 14: a node's own log, on a terminal, shows what it quotes and obeys none of it", () => {
    for (const isTTY of [true, false]) {
      const stream = Object.assign(new Sink(), { isTTY, hasColors: () => false });
      createLog("info", stream as unknown as NodeJS.WriteStream).info(
        `a worker printed: ${ESCAPES}\nand more`,
      );
      const shown = stream.bytes.toString();
      expect(shown).toContain("and more");
      expect(shown).not.toMatch(/(?!\n)\p{Cc}/u);
    }
  });
});

describe("attack 14: in a browser", () => {
  const PLAIN =
    /^(application\/(json|problem\+json|x-ndjson|octet-stream|vnd\.kitchensink)|text\/plain)(;|$)/;
  /** Whether no browser takes it for a page. */
  const isPlain = ({ headers }: Answer): boolean =>
    headers["x-content-type-options"] === "nosniff" &&
    PLAIN.test(String(headers["content-type"] ?? "text/plain"));

  test("attack 14: no route answers with a type that a browser would show as a page, nor lets it guess", async () => {
    for (const { method, path } of routes.filter((route) => !isEndless(route))) {
      const change = ["POST", "PUT"].includes(method) ? { ...JSON_TYPE } : {};
      for (const headers of [change, { ...change, authorization: "" }, { ...change, accept: "text/html" }])
        expect(isPlain(await attempt({ method, path, headers })), `${method} ${path}`).toBe(true);
    }
  });

  test.each([
    ["a path that is not there", { path: `/${HTML}` }],
    ["a query", { path: `/v1/catalog?match=[${HTML}` }],
    [
      "a name of a function",
      { method: "POST", path: `/rpc/${encodeURIComponent(HTML)}/x`, headers: JSON_TYPE, body: "[]" },
    ],
    ["an id of a job", { path: `/v1/jobs/${encodeURIComponent(HTML)}` }],
    ["a host", { path: "/health", headers: { host: HTML } }],
    ["an origin", { path: "/health", headers: { origin: `http://${HTML}` } }],
    ["a protocol", { path: "/health", headers: { "kitchensink-protocol": HTML } }],
    ["a data url", { path: `/v1/data/${encodeURIComponent(HTML)}` }],
  ] as [string, Attempt][])("attack 14: %s that is HTML comes back as JSON at most", async (_, what) => {
    const answer = await attempt(what);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(isPlain(answer)).toBe(true);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
  });

  test("attack 14: nor do results, output, thrown errors and data that are HTML", async () => {
    const { client } = cluster;
    const job = client.with({ rpcName: "test", codec: "json" }).call("echo", HTML);
    await job;
    const printing = client.call((text: string) => console.log(text), HTML);
    await printing;
    const throwing = client.call((text: string) => {
      throw new Error(text);
    }, HTML);
    await throwing.catch(() => {});
    await attempt({
      method: "PUT",
      path: "/v1/data/page.html",
      headers: { "content-type": "application/octet-stream" },
      body: HTML,
    });
    for (const path of [
      `/v1/jobs/${job.id}`,
      `/v1/jobs/${printing.id}/output`,
      `/v1/jobs/${throwing.id}`,
      "/v1/data/page.html",
      "/v1/replicas/page.html",
    ]) {
      const answer = await attempt({ path, headers: { accept: "text/html" } });
      expect(answer.status, path).toBe(200);
      expect(answer.body).toContain("<script>");
      expect(isPlain(answer), path).toBe(true);
    }
    const answer = await attempt({
      method: "POST",
      path: "/rpc/test/echo",
      headers: JSON_TYPE,
      body: JSON.stringify([HTML]),
    });
    expect(answer.body).toBe(JSON.stringify(HTML));
    expect(isPlain(answer)).toBe(true);
  });

  test("attack 14: what is no HTTP at all is answered in the same way", async () => {
    const connection = await RawConnection.open(cluster.urls[0]!);
    await connection.send(`GET ${HTML} HTTP/9.9\r\n\r\n`).closed;
    expect(connection.received).toMatch(/x-content-type-options: nosniff/);
    expect(connection.received).not.toContain("<script>");
  });
});
