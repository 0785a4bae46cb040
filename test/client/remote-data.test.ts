import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { inspect } from "node:util";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { Client } from "../../src/client/client.ts";
import { setupClient } from "../../src/client/default-client.ts";
import { RemoteData } from "../../src/client/remote-data/remote-data.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { DataServer, sha256 } from "./support/data-server.ts";
import { keepTemporaryFilesHere } from "../support/temporary-files.ts";

keepTemporaryFilesHere();

let server: DataServer;
let client: Client;
beforeEach(async () => {
  server = await DataServer.start();
  client = setupClient(server.url);
  onTestFinished(async () => await client.close());
});

async function all(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const piece of pieces) chunks.push(piece);
  return Buffer.concat(chunks);
}

test("an object is saved, and is the same under its url for everybody", async () => {
  const rows = [{ id: 1, at: new Date(0), tags: new Set(["a"]) }];
  const made = await new RemoteData({ obj: rows }).save({ url: "mylarge/data set" });
  expect(made.dataUrl).toBe("mylarge/data set");
  expect(await made.obj()).toBe(rows);
  const found = new RemoteData<typeof rows>({ dataUrl: "mylarge/data set" });
  expect(await found.obj()).toEqual(rows);
  expect(server.log).toContain("PUT /v1/data/mylarge/data%20set");
  expect(await found.info()).toMatchObject({
    url: "mylarge/data set",
    codec: "closure",
    type: "object",
    createdAt: new Date("2026-01-02T03:04:05.678Z"),
    replicas: [{ node: "node1", url: "http://node1/", isAlive: true }],
  });
});

test("functions are data too", async () => {
  const factor = 3;
  const made = await new RemoteData({ obj: (n: number) => n * factor }).save();
  expect((await new RemoteData<(n: number) => number>({ dataUrl: made.dataUrl! }).obj())(2)).toBe(6);
});

test.each(["json", "structured"])("the codec %s is kept with what it encoded", async (codec) => {
  const { dataUrl } = await new RemoteData({ obj: { n: [1] }, codec }).save();
  expect(server.data.get(dataUrl!)?.codec).toBe(codec);
  expect(await new RemoteData({ dataUrl: dataUrl! }).obj()).toEqual({ n: [1] });
});

test("before it is saved, all forms can be had of all others", async () => {
  const path = join(temporaryDirectory(), "rows.json");
  await writeFile(path, "[1,2]");
  const forms = [
    new RemoteData<number[]>({ obj: [1, 2], codec: "json" }),
    new RemoteData<number[]>({ raw: Buffer.from("[1,2]"), codec: "json" }),
    new RemoteData<number[]>({ localPath: path, codec: "json" }),
  ];
  for (const form of forms) {
    expect(await form.obj()).toEqual([1, 2]);
    expect(Buffer.from(await form.raw()).toString()).toBe("[1,2]");
    expect(await readFile(await form.localPath(), "utf8")).toBe("[1,2]");
    expect((await all(form.stream({ start: 1, end: 4 }))).toString()).toBe("1,2");
  }
  expect(server.log).toEqual([]);
});

test("after it is saved, all forms can be had of the url", async () => {
  server.put("tables/some table.csv", Buffer.from("a,b\n1,2\n"), { codec: "json" });
  const table = new RemoteData({ dataUrl: "tables/some table.csv" });
  expect(Buffer.from(await table.raw()).toString()).toBe("a,b\n1,2\n");
  expect((await all(table.stream())).toString()).toBe("a,b\n1,2\n");
  expect((await all(table.stream({ start: 4 }))).toString()).toBe("1,2\n");
  expect((await all(table.stream({ start: 2, end: 5 }))).toString()).toBe("b\n1");
  expect(await all(table.stream({ start: 100 }))).toHaveLength(0);
  expect(await all(table.stream({ start: 3, end: 3 }))).toHaveLength(0);
  const [path, again] = await Promise.all([table.localPath(), table.localPath()]);
  expect(basename(path)).toBe("some table.csv");
  expect(again).toBe(path);
  expect(await readFile(path, "utf8")).toBe("a,b\n1,2\n");
  expect(await table.localPath()).toBe(path);
  // The node says that it has not changed.
  expect(server.asked.at(-1)?.headers["if-none-match"]).toMatch(/^"[0-9a-f]{64}"$/);
});

test("a file that changes under its url is fetched anew", async () => {
  const data = new RemoteData({ dataUrl: "a" });
  server.put("a", Buffer.from("one"));
  const first = await data.localPath();
  server.put("a", Buffer.from("two"));
  expect(await readFile(await data.localPath(), "utf8")).toBe("two");
  expect(await readFile(first, "utf8")).toBe("one");
});

test("a file is saved as a file, with its digest and with progress", async () => {
  const bytes = Buffer.alloc(3_000_000, "abc");
  const path = join(temporaryDirectory(), "big.bin");
  await writeFile(path, bytes);
  const seen: number[] = [];
  const file = new RemoteData({ localPath: path });
  await file.save({ prefix: "files/", node: "node2", onProgress: (progress) => seen.push(progress.bytes) });
  expect(file.dataUrl).toMatch(/^files\/[0-9a-f]{8}-[0-9a-f]{4}-7/);
  expect(server.data.get(file.dataUrl!)).toMatchObject({ codec: null, type: "file", nodes: ["node2"] });
  expect(server.data.get(file.dataUrl!)?.bytes.equals(bytes)).toBe(true);
  expect(seen.at(-1)).toBe(bytes.length);
  expect(seen.length).toBeGreaterThan(2);
  const put = server.asked.find(({ method }) => method === "PUT");
  const digest = Buffer.from(sha256(bytes), "hex").toString("base64");
  expect(put?.headers).toMatchObject({ "upload-length": "3000000", trailer: "repr-digest" });
  expect(put?.trailers["repr-digest"]).toBe(`sha-256=:${digest}:`);
});

test("what is small is sent behind its digest", async () => {
  const bytes = Buffer.from("little");
  await new RemoteData({ raw: bytes }).save({ url: "little" });
  const put = server.asked.find(({ method }) => method === "PUT");
  const digest = Buffer.from(sha256(bytes), "hex").toString("base64");
  expect(put?.headers["repr-digest"]).toBe(`sha-256=:${digest}:`);
});

test("data without a codec is no object, and the refusal names what it is instead", async () => {
  const ways =
    /no codec is known for its bytes \(use raw\(\), localPath\(\) or stream\(\), or give \{ codec \}\)/;
  await expect(new RemoteData({ raw: Buffer.from("x") }).obj()).rejects.toThrow(ways);
  await expect(new RemoteData({ localPath: "x" }).obj()).rejects.toMatchObject({ code: "KS_USAGE" });
  server.put("x", Buffer.from("5"));
  await expect(new RemoteData({ dataUrl: "x" }).obj()).rejects.toThrow(ways);
  expect(await new RemoteData({ dataUrl: "x", codec: "json" }).obj()).toBe(5);
});

test("saving once more under the same url is nothing, under another one an error", async () => {
  const data = new RemoteData({ obj: 1 });
  await Promise.all([data.save({ url: "a/b" }), data.save({ url: "a/b" }), data.save()]);
  await data.save({ prefix: "a" });
  expect(server.log.filter((line) => line.startsWith("PUT"))).toHaveLength(1);
  await expect(data.save({ url: "other" })).rejects.toMatchObject({ code: "KS_USAGE" });
  await expect(data.save({ url: "a", prefix: "b" })).rejects.toMatchObject({ code: "KS_USAGE" });
  await expect(new RemoteData({ obj: 1 }).save({ url: "../x" })).rejects.toThrow(/Not a data url/);
  await expect(new RemoteData({ obj: 2 }).save({ url: "a/b" })).rejects.toMatchObject({
    code: "KS_DATA_EXISTS",
  });
});

test("an object is saved as it is when save is called, and its bytes stay what was saved", async () => {
  const rows = [1];
  const data = new RemoteData({ obj: rows, codec: "json" });
  const saving = data.save({ url: "rows" });
  rows.push(2);
  await saving;
  expect(server.data.get("rows")?.bytes.toString()).toBe("[1]");
  expect(Buffer.from(await data.raw()).toString()).toBe("[1]");
});

test("large data that is there already is not sent again, and other data is refused before it is sent", async () => {
  const bytes = Buffer.alloc(2_000_000, 1);
  await new RemoteData({ raw: bytes }).save({ url: "same" });
  await new RemoteData({ raw: bytes }).save({ url: "same" });
  const other = new RemoteData({ raw: Buffer.alloc(2_000_000, 2) });
  await expect(other.save({ url: "same" })).rejects.toMatchObject({ code: "KS_DATA_EXISTS" });
  expect(server.log.filter((line) => line.startsWith("PUT"))).toHaveLength(1);
  // Nobody alive has it: it is needed again.
  server.put("same", bytes, { nodes: ["node1?"] });
  await new RemoteData({ raw: bytes }).save({ url: "same" });
  expect(server.log.filter((line) => line.startsWith("PUT"))).toHaveLength(2);
});

test("what is deleted can be saved again by who made it; one replica is dropped by naming its node", async () => {
  const data = await new RemoteData({ obj: 1 }).save({ url: "x" });
  server.put("x", Buffer.from("1"), { nodes: ["node1", "node2?"] });
  expect(await data.delete({ node: "node1" })).toEqual({ deleted: ["node1"], pending: [] });
  expect(data.dataUrl).toBe("x");
  expect(await data.delete()).toEqual({ deleted: ["node1"], pending: ["node2?"] });
  expect(data.dataUrl).toBeUndefined();
  await data.save({ url: "y" });
  await expect(new RemoteData({ dataUrl: "x" }).raw()).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
  await expect(new RemoteData({ dataUrl: "x" }).info()).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
  await expect(new RemoteData({ dataUrl: "x" }).localPath()).rejects.toMatchObject({
    code: "KS_NO_SUCH_DATA",
  });
});

test("it shows where its data is, in inspection and as JSON", async () => {
  const data = new RemoteData({ obj: [1] });
  expect(inspect({ data })).toBe("{ data: RemoteData<unsaved object> }");
  expect(inspect(new RemoteData({ localPath: "a" }))).toBe("RemoteData<unsaved file>");
  expect(inspect(new RemoteData({ raw: Buffer.from("") }))).toBe("RemoteData<unsaved bytes>");
  await data.save({ url: "mylarge/dataset" });
  expect(inspect(data)).toBe("RemoteData<mylarge/dataset>");
  expect(JSON.stringify({ data })).toBe('{"data":{"dataUrl":"mylarge/dataset"}}');
  expect(Object.keys(data)).toEqual(["dataUrl"]);
});

test("it is made from exactly one thing", () => {
  for (const other of [{}, { a: 1 }, "data/x", undefined, null])
    expect(() => new RemoteData(other as never)).toThrow(/from that: give exactly one of .*\{ obj: /);
  // @ts-expect-error nothing is given
  expect(() => new RemoteData({})).toThrow(/exactly one/);
  expect(() => new RemoteData({ obj: 1, raw: Buffer.from("") })).toThrow(/from obj and raw/);
});

test("what needs the cluster is refused before it is saved", async () => {
  const data = new RemoteData({ obj: 1 });
  const refusal = /RemoteData<unsaved object>: it is not saved \(await its save\(\) first\)/;
  await expect(data.info()).rejects.toThrow(refusal);
  await expect(data.pipeline()).rejects.toThrow(refusal);
  await expect(data.delete()).rejects.toThrow(refusal);
  expect(() => data.apply((n) => n)).toThrow(refusal);
  expect(() => data.stream({ start: -1 })).toThrow(/whole numbers from 0 on/);
});

test("a client that is given is used instead of the default one", async () => {
  const other = await DataServer.start();
  const own = new Client(other.url);
  onTestFinished(async () => await own.close());
  await new RemoteData({ obj: 1, client: own }).save({ url: "here" });
  expect([...other.data.keys()]).toEqual(["here"]);
  expect(server.data.size).toBe(0);
});
