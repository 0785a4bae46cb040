/** What a caller may try with data urls, uploads and the data directory. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

let root: string;
let directory: string;
let outside: string;
let cluster: Cluster;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "kitchensink-test-"));
  directory = join(root, "data");
  outside = join(root, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "secret"), "a secret");
  cluster = await startCluster({ node: () => ({ dataDirectory: directory }) });
});
afterAll(async () => {
  await cluster.close();
  rmSync(root, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A request whose path goes out as it is written. */
function send(
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(cluster.urls[0]!);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        method,
        path,
        agent: false,
        headers: { authorization: `Bearer ${cluster.token}`, ...headers },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const octets = { "content-type": "application/octet-stream" };

describe("attack 9: data urls that lead elsewhere", () => {
  const urls = [
    "..%2fsecret",
    "%2e%2e/secret",
    "../secret",
    "a/../../secret",
    "a/%2e%2e/%2e%2e/secret",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "a%00b",
    "a%5c..%5cb",
    ".kitchensink/replicas.jsonl",
    "%2ekitchensink/replicas.jsonl",
    "a%ff",
    "%",
    "",
  ];

  test.each(urls)("%s is refused by every method", async (url) => {
    for (const path of [`/v1/data/${url}`, `/v1/replicas/${url}`])
      for (const method of ["GET", ...(path.startsWith("/v1/data") ? ["PUT", "DELETE"] : [])]) {
        const answer = await send(method, path, method === "PUT" ? { headers: octets, body: "x" } : {});
        expect([400, 404], `${method} ${path}: ${answer.body}`).toContain(answer.status);
        if (answer.status === 404) expect(answer.body).toContain("There is no");
        expect(answer.body).not.toContain("secret\n");
      }
  });

  test("and leaves nothing in the directory or beside it", () => {
    expect(readdirSync(root).toSorted()).toEqual(["data", "outside"]);
    expect(readdirSync(directory)).toEqual([".kitchensink"]);
  });

  test("symlinks are followed neither in nor out, and not adopted", async () => {
    symlinkSync(outside, join(directory, "link"));
    symlinkSync(join(outside, "secret"), join(directory, "file.csv"));
    const put = await send("PUT", "/v1/data/link/new", { headers: octets, body: "x" });
    expect(put.status).toBeGreaterThanOrEqual(400);
    expect(readdirSync(outside)).toEqual(["secret"]);
    for (const url of ["link/secret", "file.csv"]) {
      const { status, body } = await send("GET", `/v1/data/${url}`);
      expect(status).toBe(404);
      expect(body).not.toContain("a secret");
    }
    const { adopted, refused } = await cluster.client.data.adopt(["**"]);
    expect(adopted).toEqual([]);
    expect(refused.every(({ reason }) => reason.includes("symlink") || reason.includes("link"))).toBe(true);
  });

  test("a data directory is its user's alone", () => {
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });
});

test("attack 2 and 4: no data route without the token, and no upload without its content type", async () => {
  for (const [method, path] of [
    ["GET", "/v1/data/a"],
    ["HEAD", "/v1/data/a"],
    ["PUT", "/v1/data/a"],
    ["DELETE", "/v1/data/a"],
    ["GET", "/v1/replicas/a"],
    ["GET", "/v1/catalog"],
    ["POST", "/v1/pulls"],
    ["POST", "/v1/parts"],
    ["POST", "/v1/local"],
  ] as const)
    expect((await send(method, path, { headers: { authorization: "" } })).status, `${method} ${path}`).toBe(
      401,
    );
  for (const type of ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
    expect((await send("PUT", "/v1/data/a", { headers: { "content-type": type }, body: "x" })).status).toBe(
      415,
    );
  expect((await send("POST", "/v1/parts", { headers: octets, body: "x" })).status).toBe(415);
});

test("attack 10: an upload that is cut short, or lies about its length or hash, leaves nothing", async () => {
  const lying = await send("PUT", "/v1/data/liar", {
    headers: { ...octets, "repr-digest": `sha-256=:${Buffer.alloc(32).toString("base64")}:` },
    body: "x",
  });
  expect(lying.status).toBe(400);
  const { hostname, port } = new URL(cluster.urls[0]!);
  const socket = connect(Number(port), hostname);
  socket.write(
    `PUT /v1/data/cut HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${cluster.token}\r\ncontent-type: application/octet-stream\r\ncontent-length: 1000\r\n\r\nhalf`,
  );
  const incoming = join(directory, ".kitchensink/incoming");
  await vi.waitFor(() => expect(readdirSync(incoming)).toHaveLength(1));
  socket.destroy();
  await vi.waitFor(() => expect(readdirSync(incoming)).toEqual([]));
  expect(await cluster.client.data.search("**")).toEqual([]);
});

test("attack 10: a part that is not the worker's, or not there, is not put in place", async () => {
  const body = JSON.stringify({ url: "x", codec: null, type: "file", size: 8, sha256: "0".repeat(64) });
  const json = { "content-type": "application/json" };
  for (const id of ["nothing", "..%2f..%2foutside%2fsecret", "%2e%2e"])
    expect((await send("POST", `/v1/parts/${id}`, { headers: json, body })).status).toBeGreaterThanOrEqual(
      400,
    );
  expect(readFileSync(join(outside, "secret"), "utf8")).toBe("a secret");
});

test("attack 12: a header that would split a request to another node is refused", async () => {
  const { status } = await send("PUT", "/v1/data/a?node=x%0d%0aevil:1", { headers: octets, body: "x" });
  expect(status).toBe(400);
});

test("attack 13: a pattern made to take long does not", async () => {
  const save = await send("PUT", `/v1/data/${"a".repeat(150)}`, { headers: octets, body: "x" });
  expect(save.status).toBe(201);
  const pattern = `${"*a".repeat(200)}b`;
  const answer = await send("GET", `/v1/catalog?match=${encodeURIComponent(pattern)}`);
  expect(JSON.parse(answer.body)).toEqual({ data: [], next: null });
  const tooLong = await send("GET", `/v1/catalog?match=${"*".repeat(2_000)}`);
  expect(tooLong.status).toBe(400);
});
