/** Too much, too deep, too slow, cut short, or not as long as was said. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { frame, FrameReader } from "../../src/codec/frames.ts";
import { MEDIA_TYPE } from "../../src/codec/wire.ts";
import { encodeFromWorker } from "../../src/codec/worker-wire.ts";
import { Guard } from "../../src/node/http/guard.ts";
import { createServer } from "../../src/node/http/server.ts";
import { gone, startNodeProcess } from "../support/cli.ts";
import { authorized, JSON_TYPE, RawConnection, send, type Answer } from "./support/attacker.ts";

const MIB = 1024 * 1024;
const FUNCTIONS = fileURLToPath(new URL("fixtures/functions.mjs", import.meta.url));
const OCTETS = { "content-type": "application/octet-stream" };
const PACKED = { "content-type": MEDIA_TYPE };
const directory = mkdtempSync(join(tmpdir(), "kitchensink-test-"));
let cluster: Cluster;
let url: string;
beforeAll(async () => {
  cluster = await startCluster({ node: () => ({ dataDirectory: directory }) });
  url = cluster.urls[0]!;
});
afterAll(async () => {
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

const post = (path: string, body: string | Uint8Array, type: Record<string, string>): Promise<Answer> =>
  send(url, { method: "POST", path, headers: { ...authorized(cluster), ...type }, body });
const head = (line: string, ...headers: string[]): string =>
  [line, "host: localhost", `authorization: Bearer ${cluster.token}`, ...headers, "", ""].join("\r\n");
const codeOf = ({ status, body }: Answer) => [status, (JSON.parse(body) as { code: string }).code];

describe("attack 10: too much", () => {
  test.each([
    ["one header", `x: ${"a".repeat(20_000)}`],
    ["many headers", Array.from({ length: 3_000 }, (_, at) => `x${at}: a`).join("\r\n")],
    ["a token", `authorization: Bearer ${"a".repeat(20_000)}`],
    ["a cookie", `cookie: ${"a=b; ".repeat(5_000)}`],
  ])("attack 10: %s of more than 16 KiB is 431, and ends the connection", async (_, header) => {
    const connection = await RawConnection.open(url);
    connection.send(head("GET /v1/nodes HTTP/1.1", header));
    await connection.closed;
    expect(connection.statuses).toEqual([431]);
  });

  test("attack 10: a target of more than 16 KiB is 431, and headers that never end are", async () => {
    const long = await RawConnection.open(url);
    long.send(head(`GET /${"a".repeat(20_000)} HTTP/1.1`));
    await long.closed;
    expect(long.statuses).toEqual([431]);
    const endless = await RawConnection.open(url);
    endless.send("GET /health HTTP/1.1\r\n");
    const line = Buffer.from(`x: ${"a".repeat(1_000)}\r\n`);
    const feeding = setInterval(() => endless.socket.writable && endless.send(line), 1);
    await endless.closed;
    clearInterval(feeding);
    expect(endless.statuses).toEqual([431]);
  });

  const items = (count: number, item: string): string => Array<string>(count).fill(item).join(",");
  test.each([
    ["jobs to cancel", "/v1/cancel", `{"jobs":[${items(1_000_001, "1")}]}`],
    ["jobs to watch", "/v1/watch", `{"client":"12345678","jobs":[${items(1_000_001, "{}")}]}`],
    ["urls", "/v1/catalog", `{"urls":[${items(1_000_001, '""')}]}`],
    ["levels, or a hundred of them,", "/v1/catalog", `{"urls":${"[".repeat(101)}`],
    ["keys", "/v1/local", `{${items(1_000_001, '"a":1')}}`],
  ])(
    "attack 10: a JSON body with more than a million %s is 413 before it is parsed",
    async (_, path, body) => {
      const parse = vi.spyOn(JSON, "parse");
      const answer = await post(path, body, JSON_TYPE);
      expect(parse.mock.calls.filter(([text]) => text.length > MIB)).toEqual([]);
      parse.mockRestore();
      expect(codeOf(answer)).toEqual([413, "KS_TOO_LARGE"]);
    },
  );

  test("attack 10: lists have limits of their own", async () => {
    for (const [path, body] of [
      ["/v1/catalog", { urls: Array<string>(10_001).fill("a") }],
      ["/v1/adopt", { patterns: Array<string>(10_001).fill("a") }],
      ["/v1/pulls", { url: "a", idleMs: 1, sources: Array<string>(10_001).fill("a") }],
    ] as const)
      expect(codeOf(await post(path, JSON.stringify(body), JSON_TYPE)), path).toEqual([413, "KS_TOO_LARGE"]);
  });

  test("attack 10: nesting as deep as a body has room for is refused, in JSON and in msgpack", async () => {
    for (const path of ["/v1/cancel", "/v1/watch", "/v1/catalog", "/v1/pulls", "/v1/parts"]) {
      const answer = await post(path, `{"jobs":${"[".repeat(900_000)}${"]".repeat(900_000)}}`, JSON_TYPE);
      expect(codeOf(answer), path).toEqual([413, "KS_TOO_LARGE"]);
    }
    const deep = Buffer.alloc(20 * MIB, 0x91);
    for (const path of ["/v1/jobs", "/v1/instant", "/v1/jobs/01890000-0000-7000-8000-000000000000/items"])
      expect(codeOf(await post(path, deep, PACKED))).toEqual([400, "KS_BAD_REQUEST"]);
  });

  test.each([
    ["a list of four billion", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["bytes of four billion", [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ["a text of four billion", [0xdb, 0xff, 0xff, 0xff, 0xff]],
    ["a map of four billion", [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["an extension of four billion", [0xc9, 0xff, 0xff, 0xff, 0xff, 0x74]],
    ["a submission of four billion jobs", [0x93, 0xa1, 0x61, 0x90, 0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a list that ends too early", [0x93, 0xa1]],
    ["something behind the end", [0x93, 0xa1, 0x61, 0x90, 0x90, 0x00]],
  ])("attack 10: %s that is not there is refused, and no memory taken for it", async (_, bytes) => {
    for (const path of ["/v1/jobs", "/v1/instant"])
      expect(codeOf(await post(path, Uint8Array.from(bytes), PACKED))).toEqual([400, "KS_BAD_REQUEST"]);
  });

  test("attack 10: a frame that claims four gigabytes ends its stream at the four bytes that claim it", () => {
    const reader = new FrameReader(128 * MIB);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => reader.push(Buffer.from([0xff, 0xff, 0xff, 0xff, 0]), () => {})).toThrow("4294967295 bytes");
    expect(() => new FrameReader(10).push(Buffer.from([11, 0, 0, 0]), () => {})).toThrow("11 bytes");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB);
  });
});

test("attack 10: a worker that sends what nobody asked for is ended, and its node's memory spared", async () => {
  const own = await startCluster({ modules: [FUNCTIONS] });
  const run = { run: 1 } as const;
  const begin = frame(encodeFromWorker({ type: "streaming", ...run }));
  const item = frame(encodeFromWorker({ type: "item", ...run, bytes: Buffer.alloc(MIB) }));
  const before = process.memoryUsage().arrayBuffers;
  const file = join(directory, "pid");
  // It is told that items come, and never asks for one.
  await own.client
    .with({ rpcName: "test", async: false })
    .call("say", Uint8Array.from(Buffer.concat([begin, item])), 2_000, file);
  await gone([Number(readFileSync(file, "utf8"))], 15_000);
  expect((process.memoryUsage().arrayBuffers - before) / MIB).toBeLessThan(400);
  expect(await own.client.with({ rpcName: "test", async: false }).call("add", 1, 2)).toBe(3);
  await own.close();
  rmSync(file);
});

describe("attack 10: not as long as was said", () => {
  test.each([
    ["POST /v1/jobs", MEDIA_TYPE],
    ["POST /rpc/test/add", "application/json"],
    ["POST /v1/cancel", "application/json"],
    ["PUT /v1/data/cut", "application/octet-stream"],
  ])("attack 10: a body of %s that is cut short does nothing and leaves nothing", async (line, type) => {
    for (const framing of ["content-length: 1000", "transfer-encoding: chunked"]) {
      const connection = await RawConnection.open(url);
      connection.send(`${head(`${line} HTTP/1.1`, `content-type: ${type}`, framing)}5\r\n[1,2]\r\n`);
      await pause(20);
      connection.socket.destroy();
    }
    await vi.waitFor(() => expect(readdirSync(join(directory, ".kitchensink/incoming"))).toEqual([]));
    expect(await cluster.client.data.search("**")).toEqual([]);
    expect((await send(url, { path: "/health" })).status).toBe(200);
  });

  test("attack 10: an upload that is longer or shorter than it says, or has another hash, leaves nothing", async () => {
    const upload = (headers: Record<string, string>): Promise<Answer> =>
      send(url, {
        method: "PUT",
        path: "/v1/data/liar",
        headers: { ...authorized(cluster), ...OCTETS, ...headers },
        body: "four",
      });
    for (const headers of [
      { "upload-length": "3" },
      { "upload-length": "5" },
      { "upload-length": "-1" },
      { "upload-length": "4e0" },
      { "upload-offset": "3" },
      { "upload-offset": "9999999999999999999" },
      { "repr-digest": `sha-256=:${Buffer.alloc(32).toString("base64")}:` },
      { trailer: "repr-digest" },
      { "kitchensink-upload": "../../etc/passwd" },
      { "kitchensink-type": "__proto__" },
      { "kitchensink-codec": "no codec" },
    ])
      expect([400, 409], JSON.stringify(headers)).toContain((await upload(headers)).status);
    expect(await cluster.client.data.search("**")).toEqual([]);
    expect(readdirSync(join(directory, ".kitchensink/incoming"))).toEqual([]);
  });

  test("attack 10: a part that is not the worker's, or not there, is not put in place", async () => {
    const body = JSON.stringify({ url: "x", codec: null, type: "file", size: 8, sha256: "0".repeat(64) });
    for (const id of ["nothing", "..%2f..%2foutside%2fsecret", "%2e%2e"])
      expect((await post(`/v1/parts/${id}`, body, JSON_TYPE)).status).toBeGreaterThanOrEqual(400);
    expect(await cluster.client.data.search("**")).toEqual([]);
  });
});

describe("attack 10: slowly", () => {
  /** A server as nodes have it, which loses patience sooner. */
  async function impatient(maxConnections = 100): Promise<{ url: string; close: () => Promise<void> }> {
    const hostNames = new Set(["localhost"]);
    const options = {
      guard: new Guard({ token: "t", hostNames, warn: () => {} }),
      cluster: "c",
      warn: () => {},
      requestTimeoutMs: 250,
      maxConnections,
    };
    const server = createServer(options);
    server.post("/take", async (_request, reply) => reply.send());
    const listening = await server.listen({ host: "127.0.0.1", port: 0 });
    return { url: listening, close: () => server.close() };
  }
  const slow = (line: string, ...headers: string[]): string =>
    [line, "host: localhost", ...headers, "", ""].join("\r\n");

  test.each([
    ["nothing at all", "", [408]],
    ["half a line", "GET /hea", [408]],
    ["headers that do not end", "GET /health HTTP/1.1\r\nhost: localhost\r\n", [408]],
    [
      "a body that does not come",
      slow(
        "POST /take HTTP/1.1",
        "authorization: Bearer t",
        "content-type: application/json",
        "content-length: 5",
      ),
      [],
    ],
    [
      "a body in chunks that does not end",
      `${slow("POST /take HTTP/1.1", "authorization: Bearer t", "content-type: application/json", "transfer-encoding: chunked")}1\r\n[\r\n`,
      [],
    ],
    [
      "a body without the token, that was answered already",
      slow("POST /take HTTP/1.1", "content-type: application/json", "content-length: 999"),
      [401],
    ],
    [
      "an upload's type where none is taken, that was answered already",
      slow(
        "POST /take HTTP/1.1",
        "authorization: Bearer t",
        "content-type: application/octet-stream",
        "content-length: 999",
      ),
      [415],
    ],
    [
      "a body for a host that is not ours",
      slow("POST /take HTTP/1.1", "content-length: 999").replace("localhost", "evil.example"),
      [403],
    ],
  ])("attack 10: %s ends with the connection after the node's time", async (_, text, statuses) => {
    const server = await impatient();
    const connection = await RawConnection.open(server.url);
    connection.send(text);
    // Byte by byte: each one is a sign of life, and none of them counts.
    const feeding = setInterval(
      () => text.includes("999") && connection.socket.writable && connection.send("x"),
      50,
    );
    await connection.closed;
    clearInterval(feeding);
    expect(connection.statuses).toEqual(statuses);
    await server.close();
  });

  test("attack 10: connections beyond the limit are closed at once, and those before go on", async () => {
    const server = await impatient(3);
    const open = await Promise.all(Array.from({ length: 3 }, () => RawConnection.open(server.url)));
    const more = await Promise.all(Array.from({ length: 5 }, () => RawConnection.open(server.url)));
    await Promise.all(more.map(({ closed }) => closed));
    for (const connection of open)
      expect(
        await connection.send(slow("GET /health HTTP/1.1", "authorization: Bearer t")).answers(),
      ).toEqual([404]);
    for (const { socket } of open) socket.destroy();
    await server.close();
  });

  test("attack 10: a node has those limits: 10,000 connections, a minute for a request", () => {
    const { server } = createServer({
      guard: new Guard({ token: "t", hostNames: new Set(), warn: () => {} }),
      cluster: "c",
      warn: () => {},
    });
    expect([server.maxConnections, server.headersTimeout]).toEqual([10_000, 60_000]);
  });
});

test(
  "attack 10: a node's memory stays bounded under all of it, and it works on",
  { timeout: 60_000 },
  async () => {
    const node = await startNodeProcess(["--embedded"]);
    const peak = (): number =>
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${node.child.pid}/status`, "utf8"))?.[1]) * 1024;
    const before = peak();
    const full = Buffer.alloc(63 * MIB, 0x90);
    Buffer.from([0x93, 0xa1, 0x61, 0xdd]).copy(full);
    full.writeUInt32BE(full.length - 9, 4);
    const attempts = [
      // Without the token: more than memory could hold, if any of it were kept.
      ...Array.from({ length: 8 }, () => flood(node.url, "content-type: application/json", 128 * MIB)),
      // With it, over the limit.
      ...Array.from({ length: 2 }, () =>
        flood(node.url, `content-type: application/json\r\nauthorization: Bearer ${node.token}`, 128 * MIB),
      ),
    ];
    await Promise.all(attempts);
    // Within the limit, but sixty million values.
    for (let times = 0; times < 3; times += 1)
      expect(
        (
          await send(node.url, {
            method: "POST",
            path: "/v1/jobs",
            headers: { ...authorized(node), ...PACKED },
            body: full,
          })
        ).status,
      ).toBe(413);
    expect((await send(node.url, { path: "/health" })).status).toBe(200);
    expect((peak() - before) / MIB).toBeLessThan(500);
  },
);

/** Sends a body in chunks as fast as it is taken, until all is sent or the node has had enough. */
async function flood(to: string, headers: string, bytes: number): Promise<void> {
  const { socket, closed } = await RawConnection.open(to);
  const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(MIB, "a"), Buffer.from("\r\n")]);
  socket.write(
    `POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\n${headers}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += MIB)
    if (!socket.write(chunk))
      await Promise.race([closed, new Promise((resolve) => socket.once("drain", resolve))]);
  socket.destroy();
}
