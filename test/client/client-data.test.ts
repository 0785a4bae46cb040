import { beforeEach, expect, onTestFinished, test } from "vitest";
import { Client } from "../../src/client/client.ts";
import { RemoteData } from "../../src/client/remote-data/remote-data.ts";
import { DataServer, sha256 } from "./support/data-server.ts";

let server: DataServer;
let c: Client;
beforeEach(async () => {
  server = await DataServer.start();
  c = new Client(server.url);
  onTestFinished(async () => await c.close());
});

test("urls are found by pattern, however many pages they fill", async () => {
  for (const url of ["data/1", "data/2", "data/3", "data/4", "data/5", "other"])
    server.put(url, Buffer.from("x"));
  expect(await c.data.search("data/*")).toEqual(["data/1", "data/2", "data/3", "data/4", "data/5"]);
  expect(await c.data.search("none*")).toEqual([]);
});

test("what is known of one url, or of several in their order", async () => {
  server.put("a", Buffer.from("aa"), { nodes: ["gone?", "node2"] });
  server.put("b", Buffer.from("b"));
  const info = await c.data.info("a");
  expect(info).toMatchObject({
    url: "a",
    size: 2,
    sha256: sha256(Buffer.from("aa")),
    codec: null,
    type: "file",
  });
  expect(info.replicas.map(({ node, isAlive }) => [node, isAlive])).toEqual([
    ["node2", true],
    ["gone?", false],
  ]);
  const several = await c.data.info(["b", "none", "a"]);
  expect(several.map((one) => one?.url)).toEqual(["b", undefined, "a"]);
  await expect(c.data.info("none")).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
  await expect(c.data.info("../a")).rejects.toMatchObject({ code: "KS_BAD_REQUEST" });
  expect(await c.data.delete("a")).toEqual({ deleted: ["node2"], pending: ["gone?"] });
});

const report = {
  url: "a",
  size: 2,
  sha256: sha256(Buffer.from("aa")),
  copies: [
    { node: "node1", status: "present", from: null, ms: 0 },
    { node: "node2", status: "copied", from: "node1", ms: 5.5 },
  ],
  failed: [{ node: "node3", reason: "its disk is full" }],
  shortfall: { wanted: 3, reached: 2, reason: "no other node takes data" },
};

test("a broadcast tells how it goes on, and in the end what came of it", async () => {
  server.lines = [{ node: "node2", bytes: 1 }, { alive: true }, { node: "node2", bytes: 2 }, { report }];
  const seen: object[] = [];
  const data = new RemoteData({ dataUrl: "a", client: c });
  expect(await data.pipeline({ copies: 3, onProgress: (progress) => seen.push(progress) })).toEqual(report);
  expect(seen).toEqual([
    { node: "node2", bytes: 1 },
    { node: "node2", bytes: 2 },
  ]);
  server.lines = [{ report: { ...report, shortfall: null } }];
  expect(await c.data.pipeline("a", { nodes: ["node2"] })).toEqual({ ...report, shortfall: null });
});

test("a broadcast that fails, or whose answer ends early, is an error", async () => {
  server.lines = [{ alive: true }, { error: { code: "KS_DATA_LOST", detail: "No replica of a is left" } }];
  await expect(c.data.pipeline("a")).rejects.toMatchObject({
    code: "KS_DATA_LOST",
    message: "No replica of a is left",
  });
  server.lines = [{ node: "node2", bytes: 1 }];
  await expect(c.data.pipeline("a")).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  server.lines = [{ report: { ...report, copies: [{ node: 5 }] } }];
  await expect(c.data.pipeline("a")).rejects.toThrow(/Cannot read the node's answer/);
  server.lines = [{ report: { ...report, shortfall: { wanted: 3 } } }];
  await expect(c.data.pipeline("a")).rejects.toThrow(
    /Cannot read the node's answer: it has no shortfall's reached/,
  );
});

test("adopting tells which files became data, and which did not", async () => {
  server.put("a", Buffer.from("aa"));
  const adopted = { url: "a", size: 2, sha256: report.sha256, codec: null, type: "file", replicas: [] };
  server.lines = [
    { adopted: { ...adopted, createdAt: "2026-01-02T03:04:05.678Z" } },
    { refused: { path: ".hidden", reason: "its name begins with a dot" } },
    { done: { adopted: 1, refused: 1 } },
  ];
  expect(await c.data.adopt("**", { node: "node1" })).toEqual({
    adopted: [{ ...adopted, createdAt: new Date("2026-01-02T03:04:05.678Z") }],
    refused: [{ path: ".hidden", reason: "its name begins with a dot" }],
  });
});

test("a job explains why it runs where it does", async () => {
  const id = "01890000-0000-7000-8000-000000000000";
  const explanation = {
    id,
    state: "running",
    queue: "default",
    isServed: true,
    node: "node1",
    why: "it has all of the data",
    inputs: [{ url: "a", size: 5, replicas: ["node1"] }],
    thresholdBytes: 200_000_000,
    candidates: [{ node: "node1", missingBytes: 0, headStartMs: 0 }],
    leftOut: [{ node: "node2", missingBytes: 5, reason: "read-only" }],
  };
  server.placement = explanation;
  expect(await c.job(id).explain()).toEqual(explanation);
  server.placement = { ...explanation, candidates: [{ node: "node1" }] };
  await expect(c.job(id).explain()).rejects.toThrow(/it has no candidate's missingBytes/);
});
