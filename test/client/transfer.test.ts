import { once } from "node:events";
import { readFile, stat, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { Client } from "../../src/client/client.ts";
import { RemoteData } from "../../src/client/remote-data/remote-data.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { DataServer } from "./support/data-server.ts";
import { keepTemporaryFilesHere } from "../support/temporary-files.ts";

keepTemporaryFilesHere();

let server: DataServer;
let client: Client;
beforeEach(async () => {
  server = await DataServer.start();
  client = new Client(server.url);
  onTestFinished(async () => await client.close());
});

const bytes = Buffer.from(Array.from({ length: 500_000 }, (_, at) => at * 7));
const rangesAsked = (): unknown[] =>
  server.asked.flatMap(({ method, headers }) =>
    method === "GET" ? [[headers.range, headers["if-range"] !== undefined]] : [],
  );

test("a read whose connection breaks goes on where it was", async () => {
  server.put("big", bytes);
  server.cutDownloads.push(100_000, 50_000);
  const read = await new RemoteData({ dataUrl: "big", client }).raw();
  expect(bytes.equals(read)).toBe(true);
  expect(rangesAsked()).toEqual([
    ["bytes=0-1048575", false],
    ["bytes=100000-499999", true],
    ["bytes=150000-499999", true],
  ]);
});

test("what is large comes on a connection of its own, and goes on when that breaks", async () => {
  const large = Buffer.concat(Array.from({ length: 8 }, () => bytes));
  server.put("large", large);
  server.cutDownloads.push(1_048_576, 2_000_000);
  const read = await new RemoteData({ dataUrl: "large", client }).raw();
  expect(large.equals(read)).toBe(true);
  expect(rangesAsked()).toEqual([
    ["bytes=0-1048575", false],
    ["bytes=1048576-", true],
    ["bytes=3048576-3999999", true],
  ]);
  server.cutDownloads.push(1_048_576, 2_000_000);
  const path = await new RemoteData({ dataUrl: "large", client }).localPath();
  expect(large.equals(await readFile(path))).toBe(true);
});

test("many large reads at once are none that Node warns of", async () => {
  const warned = vi.fn<(warning: Error) => void>();
  process.on("warning", warned);
  onTestFinished(() => void process.off("warning", warned));
  const urls = Array.from({ length: 40 }, (_, at) => `large/${at}`);
  for (const url of urls) server.put(url, Buffer.alloc(2_000_000));
  const read = await Promise.all(urls.map((dataUrl) => new RemoteData({ dataUrl, client }).raw()));
  expect(read.map(({ length }) => length)).toEqual(urls.map(() => 2_000_000));
  expect(warned).not.toHaveBeenCalled();
});

test("a part that is read goes on too, and a local file is whole", async () => {
  server.put("big", bytes);
  server.cutDownloads.push(1_000, 1_000);
  const pieces: Uint8Array[] = [];
  for await (const piece of new RemoteData({ dataUrl: "big", client }).stream({ start: 10, end: 400_000 }))
    pieces.push(piece as Uint8Array);
  expect(Buffer.concat(pieces).equals(bytes.subarray(10, 400_000))).toBe(true);
  server.cutDownloads.push(200_000);
  const path = await new RemoteData({ dataUrl: "big", client }).localPath();
  expect(bytes.equals(await readFile(path))).toBe(true);
});

test("a read without any progress is given up after five more tries, and says how far it came", async () => {
  server.put("big", bytes);
  server.cutDownloads.push(100_000, 0, 0, 0, 0, 0);
  await expect(new RemoteData({ dataUrl: "big", client }).raw()).rejects.toMatchObject({
    code: "KS_UNAVAILABLE",
    message: expect.stringContaining("it broke off after 100000 of 500000 bytes"),
  });
  expect(rangesAsked()).toHaveLength(6);
});

test("a read does not go on with other data", async () => {
  server.put("big", bytes);
  server.cutDownloads.push(100_000);
  const reading = new RemoteData({ dataUrl: "big", client }).stream();
  await once(reading, "readable");
  server.put("big", Buffer.alloc(500_000));
  await expect(reading.toArray()).rejects.toThrow(/other data was saved under its url meanwhile/);
});

test("damaged bytes are no data, and no file is left", async () => {
  server.put("damaged", bytes);
  server.isDamaging = true;
  const data = new RemoteData({ dataUrl: "damaged", client });
  await expect(data.raw()).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringContaining("damaged"),
  });
  await expect(data.localPath()).rejects.toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
  server.isDamaging = false;
  expect(bytes.equals(await readFile(await data.localPath()))).toBe(true);
});

test("an upload whose connection breaks goes on where the node has it", async () => {
  server.cutUploads.push(100_000, 300_000);
  await new RemoteData({ raw: bytes, client }).save({ url: "sent" });
  const path = join(temporaryDirectory(), "file");
  await writeFile(path, bytes);
  server.cutUploads.push(250_000);
  await new RemoteData({ localPath: path, client }).save({ url: "file" });
  for (const url of ["sent", "file"]) expect(server.data.get(url)?.bytes.equals(bytes)).toBe(true);
  const offsets = server.asked.flatMap(({ method, headers }) =>
    method === "PUT" ? [headers["upload-offset"]] : [],
  );
  expect(offsets).toEqual([undefined, "100000", "300000", undefined, "250000"]);
});

test("an upload without any progress is given up after five tries", async () => {
  server.cutUploads.push(0, 0, 0, 0, 0, 0);
  await expect(new RemoteData({ raw: bytes, client }).save({ url: "sent" })).rejects.toMatchObject({
    code: "KS_UNAVAILABLE",
  });
  expect(server.log.filter((line) => line.startsWith("PUT"))).toHaveLength(5);
  expect(server.data.size).toBe(0);
});

test("a node that nobody can reach is an error at once", async () => {
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await using lost = new Client(`http://127.0.0.1:${port}/`);
  const begun = performance.now();
  const data = new RemoteData({ raw: bytes, client: lost });
  await expect(data.save()).rejects.toMatchObject({ code: "KS_UNAVAILABLE" });
  await expect(new RemoteData({ dataUrl: "x", client: lost }).raw()).rejects.toThrow(/nothing listens there/);
  expect(performance.now() - begun).toBeLessThan(1_000);
  expect(data.dataUrl).toBeUndefined();
});

test("a file that becomes shorter while it is sent is not saved", async () => {
  const path = join(temporaryDirectory(), "file");
  await writeFile(path, Buffer.alloc(5_000_000, 1));
  let isTruncated = false;
  const saving = new RemoteData({ localPath: path, client }).save({
    url: "file",
    node: "node1",
    onProgress: () => {
      if (!isTruncated) void truncate(path, 1_500_000);
      isTruncated = true;
    },
  });
  await expect(saving).rejects.toMatchObject({
    code: "KS_USAGE",
    message: expect.stringContaining("shorter"),
  });
  expect(server.data.size).toBe(0);
});

test("what onProgress throws ends the upload at once, and is what its caller gets", async () => {
  const own = new Error("no more room on the screen");
  const saving = new RemoteData({ raw: Buffer.alloc(5_000_000, 1), client }).save({
    url: "data",
    onProgress: ({ bytes: sent }) => {
      if (sent > 1_000_000) throw own;
    },
  });
  await expect(saving).rejects.toBe(own);
  expect(server.log.filter((line) => line.startsWith("PUT")).length).toBeLessThan(2);
  expect(server.data.size).toBe(0);
});

test("a file that is not there, or none, is refused", async () => {
  const directory = temporaryDirectory();
  for (const localPath of [join(directory, "none"), directory])
    await expect(new RemoteData({ localPath, client }).save()).rejects.toThrow(
      /Cannot read the file .* \(check its path, and who may read it\)/,
    );
  await expect(new RemoteData({ localPath: join(directory, "none") }).raw()).rejects.toThrow(/Cannot read/);
  expect(server.log).toEqual([]);
});

test("whoever aborts a transfer gets the reason that was given", async () => {
  server.put("big", bytes);
  server.cutDownloads.push(100_000, 0, 0, 0, 0);
  const reason = new Error("enough");
  const controller = new AbortController();
  const { signal } = controller;
  const reading = new RemoteData({ dataUrl: "big", client }).stream({ signal });
  await once(reading, "readable");
  controller.abort(reason);
  await expect(reading.toArray()).rejects.toBe(reason);
  const large = new RemoteData({ raw: Buffer.alloc(5_000_000), client });
  const other = new AbortController();
  const onProgress = (): void => other.abort(reason);
  await expect(large.save({ node: "node1", signal: other.signal, onProgress })).rejects.toBe(reason);
  expect(server.data.has("big")).toBe(true);
});

test("closing the client ends reads that would begin again", async () => {
  server.put("big", bytes);
  server.cutDownloads.push(100_000, 0, 0, 0, 0, 0);
  const reading = new RemoteData({ dataUrl: "big", client }).stream();
  await once(reading, "readable");
  const begun = performance.now();
  await client.close();
  await expect(reading.toArray()).rejects.toMatchObject({ code: "KS_CONNECTION_LOST" });
  expect(performance.now() - begun).toBeLessThan(1_000);
  const data = new RemoteData({ dataUrl: "big", client });
  await expect(data.raw()).rejects.toThrow(/The client was closed: make a new one/);
});

test("a reader that stops early leaves nothing open", async () => {
  server.put("big", bytes);
  for await (const piece of new RemoteData({ dataUrl: "big", client }).stream()) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  expect((await new RemoteData({ dataUrl: "big", client }).raw()).length).toBe(bytes.length);
  await expect(stat(await new RemoteData({ dataUrl: "big", client }).localPath())).resolves.toMatchObject({
    size: bytes.length,
  });
});
