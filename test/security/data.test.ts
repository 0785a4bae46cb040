/** What a caller may try with data urls, patterns and the data directory. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseGlob } from "../../src/core/glob.ts";
import { startNodeProcess } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { authorized, JSON_TYPE, send, type Answer } from "./support/attacker.ts";

const SECRET = "a secret";
let root: string;
let directory: string;
let outside: string;
let cluster: Cluster;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "kitchensink-test-"));
  directory = join(root, "data");
  outside = join(root, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "secret"), SECRET);
  cluster = await startCluster({ node: () => ({ dataDirectory: directory }) });
});
afterAll(async () => {
  await cluster.close();
  rmSync(root, { recursive: true, force: true });
});

const OCTETS = { "content-type": "application/octet-stream" };
const attempt = (method: string, path: string, body?: string, headers = {}): Promise<Answer> =>
  send(cluster.urls[0]!, {
    method,
    path,
    headers: { ...authorized(cluster), ...headers },
    ...(body === undefined ? {} : { body }),
  });
const put = (url: string, body = "x"): Promise<Answer> => attempt("PUT", `/v1/data/${url}`, body, OCTETS);
const post = (path: string, body: object): Promise<Answer> =>
  attempt("POST", path, JSON.stringify(body), JSON_TYPE);

describe("attack 9: data urls that lead elsewhere", () => {
  const urls = [
    "../secret",
    "..%2fsecret",
    "..%2Fsecret",
    "%2e%2e/secret",
    "%2e%2e%2fsecret",
    "%2E%2E/secret",
    ".%2e/secret",
    "a/../../secret",
    "a/%2e%2e/%2e%2e/secret",
    "a/./b",
    "a/%2e/b",
    ".",
    "%2e",
    "..",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "a//b",
    "a/",
    "file:%2f%2f%2fetc%2fpasswd/..",
    "a%00b",
    "%00",
    "a/b%00/../c",
    "a%5c..%5cb",
    "..%5csecret",
    "a%0ab",
    "a%7fb",
    "a%c2%85b",
    ".kitchensink/replicas.jsonl",
    "%2ekitchensink/replicas.jsonl",
    "a/.kitchensink/replicas.jsonl",
    ".redis/dump.rdb",
    "a%ff",
    "%c0%ae%c0%ae/secret",
    "%ed%a0%80",
    "e%cc%81",
    "%",
    "%2",
    "%zz",
    "%u002e%u002e/secret",
    "a".repeat(201),
    "a/".repeat(600),
    "",
  ];

  test.each(urls)("attack 9: %s is refused by every route and method", async (url) => {
    for (const [method, path] of [
      ["GET", `/v1/data/${url}`],
      ["HEAD", `/v1/data/${url}`],
      ["PUT", `/v1/data/${url}`],
      ["DELETE", `/v1/data/${url}`],
      ["GET", `/v1/replicas/${url}`],
    ] as const) {
      const answer = await (method === "PUT" ? put(url) : attempt(method, path));
      expect([400, 404], `${method} ${path}: ${answer.body}`).toContain(answer.status);
      if (answer.status === 404 && method !== "HEAD") expect(answer.body).toContain("There is no");
      expect(answer.body).not.toContain(SECRET);
    }
  });

  test("attack 9: what is escaped twice is a name with a percent sign, and leads nowhere else", async () => {
    expect((await put("%252e%252e%252fsecret", "mine")).status).toBe(201);
    expect(readFileSync(join(directory, "%2e%2e%2fsecret"), "utf8")).toBe("mine");
    expect((await attempt("DELETE", "/v1/data/%252e%252e%252fsecret")).status).toBe(200);
  });

  const inBodies = [
    "../secret",
    "/etc/passwd",
    "a/../b",
    "a\\..\\b",
    "a\0b",
    ".kitchensink/lock",
    "",
    1,
    null,
    ["a"],
    {},
  ];
  test.each(inBodies)("attack 9: %j in a body is refused by every route that takes a url", async (url) => {
    for (const [path, body] of [
      ["/v1/catalog", { urls: [url] }],
      ["/v1/pipelines", { url }],
      ["/v1/looks", { url }],
      ["/v1/pulls", { url, sources: [], idleMs: 1_000 }],
      ["/v1/local", { url }],
    ] as const)
      expect((await post(path, body)).status, `${path} ${JSON.stringify(body)}`).toBe(400);
    const part = JSON.parse((await post("/v1/parts", { pid: 1 })).body) as { id: string };
    const facts = { url, codec: null, type: "file", size: 0, sha256: "0".repeat(64) };
    expect((await post(`/v1/parts/${part.id}`, facts)).status).toBe(400);
    expect((await attempt("DELETE", `/v1/parts/${part.id}`)).status).toBe(204);
  });

  test("attack 9: patterns find nothing outside, whatever they begin with", async () => {
    for (const pattern of [
      "../*",
      "/etc/*",
      "**/../../*",
      "..",
      "/**",
      "./**",
      ".kitchensink/*",
      "[.][.]/*",
      "\\../*",
    ]) {
      const found = await attempt("GET", `/v1/catalog?match=${encodeURIComponent(pattern)}`);
      expect(JSON.parse(found.body), pattern).toEqual({ data: [], next: null });
      const adopted = await post("/v1/adopt", { patterns: [pattern] });
      expect(adopted.body, pattern).toContain('{"done":{"adopted":0,"refused":0}}');
    }
  });

  test("attack 9: all that leaves nothing in the directory or beside it", () => {
    expect(readdirSync(root).toSorted()).toEqual(["data", "outside"]);
    expect(readdirSync(directory)).toEqual([".kitchensink"]);
    expect(readdirSync(join(directory, ".kitchensink/incoming"))).toEqual([]);
  });
});

describe("attack 9: who may look into a data directory", () => {
  test("attack 9: the node's user alone: folders are 0700, files 0444 or 0600 within", async () => {
    await put("some/where/file");
    for (const path of ["", ...readdirSync(directory, { recursive: true, encoding: "utf8" })]) {
      const stats = lstatSync(join(directory, path));
      if (stats.isDirectory()) expect(stats.mode & 0o777, path).toBe(0o700);
      else expect([0o444, 0o600], path).toContain(stats.mode & 0o777);
    }
  });

  test("attack 9: a directory that was there, and is open to others, is used, and said", async () => {
    const shared = join(temporaryDirectory(), "shared");
    mkdirSync(shared, { mode: 0o755 });
    const node = await startNodeProcess(["--embedded", "--datadir", shared]);
    expect(node.stderr).toContain(`chmod 700`);
    expect(statSync(join(shared, ".kitchensink")).mode & 0o777).toBe(0o700);
  });
});

describe("attack 9: symlinks", () => {
  test("attack 9: they are followed neither in nor out, nor replaced, and not adopted", async () => {
    symlinkSync(outside, join(directory, "link"));
    symlinkSync(join(outside, "secret"), join(directory, "file.csv"));
    symlinkSync(join(outside, "new"), join(directory, "dangling"));
    for (const url of ["link/new", "link/a/b", "file.csv", "dangling"])
      expect((await put(url)).status, url).toBeGreaterThanOrEqual(400);
    expect(readdirSync(outside)).toEqual(["secret"]);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe(SECRET);
    for (const url of ["link/secret", "file.csv"]) {
      const { status, body } = await attempt("GET", `/v1/data/${url}`);
      expect(status).toBe(404);
      expect(body).not.toContain(SECRET);
    }
    const { adopted, refused } = await cluster.client.data.adopt(["**"]);
    expect(adopted).toEqual([]);
    expect(refused.map(({ path }) => path).toSorted()).toEqual(["dangling", "file.csv", "link"]);
    expect(refused.every(({ reason }) => reason.includes("symbolic link"))).toBe(true);
    for (const link of ["link", "file.csv", "dangling"]) rmSync(join(directory, link));
  });

  test("attack 9: a folder or a file that is exchanged for a symlink later is found out when it is read", async () => {
    await put("folder/secret", "a public");
    await put("public", "a public");
    rmSync(join(directory, "folder"), { recursive: true });
    symlinkSync(outside, join(directory, "folder"));
    rmSync(join(directory, "public"));
    symlinkSync(join(outside, "secret"), join(directory, "public"));
    for (const url of ["folder/secret", "public"])
      for (const path of [`/v1/data/${url}`, `/v1/replicas/${url}`]) {
        const { status, body } = await attempt("GET", path);
        expect([404, 410, 503], path).toContain(status);
        expect(body).not.toContain(SECRET);
      }
    expect((await attempt("DELETE", "/v1/data/folder/secret")).status).toBeLessThan(500);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe(SECRET);
    for (const link of ["folder", "public"]) rmSync(join(directory, link), { force: true });
  });

  test("attack 9: a symlink that comes and goes while files are read never gets its file out", async () => {
    // Each file has one chance, for a replica whose file is missing for a moment is given up.
    const names = Array.from({ length: 400 }, (_, index) => `file${index}`);
    const inside = join(directory, "racing");
    const away = join(root, "away");
    mkdirSync(away);
    for (const name of names) {
      // As long as what is inside, so that its size does not give it away.
      writeFileSync(join(away, name), SECRET);
      await put(`racing/${name}`, "a public");
    }
    const racer = new Worker(RACER, { eval: true, workerData: { folder: inside, outside: away } });
    await once(racer, "message");
    const answers = await Promise.all(names.map((name) => attempt("GET", `/v1/data/racing/${name}`)));
    await racer.terminate();
    for (const path of [inside, `${inside}.away`, away]) rmSync(path, { recursive: true, force: true });
    const kinds = new Set(answers.map(({ status, body }) => (status === 200 ? body : status)));
    expect([...kinds].filter((kind) => ![503, 410, 404, "a public"].includes(kind))).toEqual([]);
  });
});

/** Exchanges a folder for a symlink, and back, as fast as it can. */
const RACER = `
  const { renameSync, symlinkSync, unlinkSync } = require("node:fs");
  const { parentPort, workerData: { folder, outside } } = require("node:worker_threads");
  const turn = () => {
    for (let times = 0; times < 50; times += 1) {
      renameSync(folder, folder + ".away");
      symlinkSync(outside, folder);
      unlinkSync(folder);
      renameSync(folder + ".away", folder);
    }
    setImmediate(turn);
  };
  turn();
  parentPort.postMessage("racing");
`;

describe("attack 13: patterns that are made to take long", () => {
  const steps = (pattern: string, text: string): number => parseGlob(pattern).match(text).steps;

  test.each([
    ["a star before each letter", "*a*a*a*a*a*a*b", (n: number) => "a".repeat(n)],
    ["stars and anything", "*?*?*?*?*?b", (n: number) => "a".repeat(n)],
    ["classes", "*[a-z]*[!b]*[a-z]*b", (n: number) => "a".repeat(n)],
    ["any folders before each folder", "**/a/**/a/**/a/**/b", (n: number) => "a/".repeat(n / 2) + "a"],
    ["stars within any folders", "**/*a*a*b/**/*a*a*b", (n: number) => "aaa/".repeat(n / 4) + "a"],
  ] as const)("attack 13: %s: a text four times as long takes four times the steps", (_, pattern, text) => {
    const [few, many] = [steps(pattern, text(200)), steps(pattern, text(800))];
    expect(few).toBeGreaterThan(50);
    expect(many / few).toBeLessThan(5);
  });

  test.each([
    ["stars", "*a"],
    ["any folders", "**/a/"],
    ["anything", "*?"],
  ])(
    "attack 13: with many %s, the steps are no more than the pattern's times the text's characters",
    (_, piece) => {
      for (const count of [10, 40, 160]) {
        const pattern = `${piece.repeat(count)}b`;
        for (const text of ["a".repeat(150), "a/".repeat(75) + "a", "aaa/".repeat(37) + "a"])
          expect(steps(pattern, text)).toBeLessThanOrEqual(pattern.length * text.length);
      }
    },
  );

  test("attack 13: a node is given one and answers; one that is too long is refused", async () => {
    expect((await put("a".repeat(150))).status).toBe(201);
    const answer = await attempt("GET", `/v1/catalog?match=${encodeURIComponent(`${"*a".repeat(200)}b`)}`);
    expect(JSON.parse(answer.body)).toEqual({ data: [], next: null });
    expect((await attempt("GET", `/v1/catalog?match=${"*".repeat(2_000)}`)).status).toBe(400);
    for (const broken of ["[", "a[b", "\\", "[\\"])
      expect((await attempt("GET", `/v1/catalog?match=${encodeURIComponent(broken)}`)).status, broken).toBe(
        400,
      );
  });
});
