import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROTOCOL_VERSION } from "../../src/core/version.ts";
import { DataThread } from "../../src/data/data-thread.ts";
import type { DataDirectory } from "../../src/data/directory.ts";
import {
  bytesOf,
  factsOf,
  headFor,
  isSame,
  offsetAsked,
  openDirectory,
  pulling,
  readAll,
  save,
  serve,
  source,
  url,
} from "./support/directories.ts";

const incoming = (directory: DataDirectory): string[] =>
  readdirSync(join(directory.path, ".kitchensink/incoming"));

const bytes = bytesOf(3_000_000);
const facts = factsOf("x", bytes);

/** Gives all that is asked for. */
async function honest(requests: string[] = []): Promise<string> {
  return source((socket, request) => {
    requests.push(request);
    const offset = offsetAsked(request);
    socket.end(Buffer.concat([Buffer.from(headFor(facts, offset)), bytes.subarray(offset)]));
  });
}

/** Gives `count` bytes from where it is asked, and breaks off. */
async function breaking(count: number): Promise<string> {
  return source((socket, request) => {
    const offset = offsetAsked(request);
    socket.write(
      Buffer.concat([Buffer.from(headFor(facts, offset)), bytes.subarray(offset, offset + count)]),
      () => socket.destroy(),
    );
  });
}

/** Gives other bytes than it says. */
async function lying(): Promise<string> {
  return source((socket, request) => {
    const offset = offsetAsked(request);
    socket.end(Buffer.concat([Buffer.from(headFor(facts, offset)), bytesOf(3_000_000, 2).subarray(offset)]));
  });
}

/** Answers with a head, and perhaps a body. */
async function answering(head: string, body: Uint8Array = bytes): Promise<string> {
  return source((socket) => socket.end(Buffer.concat([Buffer.from(head), body])));
}

async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

test("data comes from another node, with the headers that nodes ask for", async () => {
  const { directory } = await openDirectory();
  const requests: string[] = [];
  const from = await honest(requests);
  const { replica, isKnown } = await directory.pull(
    pulling(facts, [`${from}/v1/data/my%20x?a=b`], { token: "secret", cluster: "blue" }),
  );
  expect({ replica, isKnown }).toMatchObject({ replica: facts, isKnown: false });
  expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
  const [request] = requests;
  expect(request).toMatch(/^GET \/v1\/data\/my%20x\?a=b HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/);
  for (const line of [
    "authorization: Bearer secret",
    `kitchensink-protocol: ${PROTOCOL_VERSION}`,
    "kitchensink-cluster: blue",
  ])
    expect(request).toContain(`\r\n${line}\r\n`);
  expect(request).not.toContain("range:");
  expect(await directory.pull(pulling(facts, []))).toMatchObject({ isKnown: true });
});

test("a token that would end its header is refused", async () => {
  const { directory } = await openDirectory();
  const pull = directory.pull(pulling(facts, [await honest()], { token: "a\r\nx: y" }));
  await expect(pull).rejects.toMatchObject({ code: "KS_USAGE" });
  await expect(directory.pull(pulling(facts, ["ftp://x/y"]))).rejects.toMatchObject({
    code: "KS_BAD_REQUEST",
  });
  expect(directory.arrivals()).toEqual([]);
});

test("data of no bytes can be fetched", async () => {
  const { directory } = await openDirectory();
  await directory.pull(pulling(factsOf("empty", Buffer.alloc(0)), [await honest()]));
  expect(directory.find(url("empty"))?.size).toBe(0);
});

test("a transfer that breaks off goes on from the next source, where it was", async () => {
  const { directory } = await openDirectory();
  const requests: string[] = [];
  const sources = [await breaking(1_234_567), await honest(requests)];
  await directory.pull(pulling(facts, sources));
  expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
  expect(requests).toEqual([
    expect.stringContaining(`range: bytes=1234567-\r\nif-range: "${facts.sha256}"\r\n`),
  ]);
});

test("a source that knows no ranges is used, without what is here already", async () => {
  const { directory } = await openDirectory();
  const sources = [await breaking(1_234_567), await answering(headFor(facts))];
  await directory.pull(pulling(facts, sources));
  expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
});

test("sources that break off again and again are enough as long as they bring something", async () => {
  const { directory } = await openDirectory();
  await directory.pull(pulling(facts, [await breaking(1_100_000)]));
  expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
});

const etag = `etag: "${facts.sha256}"\r\n`;
test.each([
  ["404", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "answered 404"],
  ["another etag", `HTTP/1.1 200 OK\r\netag: "other"\r\ncontent-length: 3000000\r\n\r\n`, "has other data"],
  ["another length", `HTTP/1.1 200 OK\r\n${etag}content-length: 5\r\n\r\n`, "has a body of another length"],
  ["two lengths", `HTTP/1.1 200 OK\r\n${etag}content-length: 5\r\ncontent-length: 3000000\r\n\r\n`, "twice"],
  ["a chunked body", `HTTP/1.1 200 OK\r\n${etag}transfer-encoding: chunked\r\n\r\n`, "sent an encoded body"],
  ["no length", `HTTP/1.1 200 OK\r\n${etag}\r\n`, "did not say how long"],
  ["no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "sent no HTTP/1.1 response"],
  ["a folded header", `HTTP/1.1 200 OK\r\n${etag}x: y\r\n z\r\n\r\n`, "sent a malformed header"],
  ["headers without an end", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(4_000)}`, "sent headers without an end"],
  [
    "another range",
    `HTTP/1.1 206 OK\r\n${etag}content-length: 3\r\ncontent-range: bytes 1-3/9\r\n\r\n`,
    "another range",
  ],
])("a source with %s is left for the next one, and named when none is left", async (_, head, reason) => {
  const { directory } = await openDirectory();
  const bad = await answering(head);
  const requests: string[] = [];
  await directory.pull(pulling(facts, [bad, await honest(requests)]));
  expect(requests).toHaveLength(1);
  await directory.remove(url("x"));
  await expect(directory.pull(pulling(facts, [bad]))).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringMatching(new RegExp(`Cannot fetch "x" from other nodes: ${bad} .*${reason}`)),
  });
  expect(incoming(directory)).toEqual([]);
});

test("when all sources fail each is named with its reason", async () => {
  const { directory } = await openDirectory();
  const sources = [await closedPort(), await breaking(100)];
  await expect(directory.pull(pulling(facts, sources))).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringMatching(
      `${sources[0]} refused the connection; ${sources[1]} (closed|broke) the connection (after|off)`,
    ),
  });
  expect(directory.arrivals()).toEqual([]);
  await expect(directory.pull(pulling(facts, []))).rejects.toMatchObject({
    message: expect.stringContaining("no node has it"),
  });
});

test("a source that sends nothing for long is left, where it stopped", async () => {
  const { directory } = await openDirectory();
  const idle = await source((socket) =>
    socket.write(Buffer.concat([Buffer.from(headFor(facts)), bytes.subarray(0, 1_000)])),
  );
  const requests: string[] = [];
  await directory.pull(pulling(facts, [idle, await honest(requests)], { idleMs: 100 }));
  expect(requests).toEqual([expect.stringContaining("range: bytes=1000-")]);
  await directory.remove(url("x"));
  await expect(directory.pull(pulling(facts, [idle], { idleMs: 100 }))).rejects.toMatchObject({
    message: expect.stringContaining("sent nothing for 100 ms"),
  });
});

test("damaged bytes are thrown away, and their source is left out", async () => {
  const { directory } = await openDirectory();
  const [liar, good] = [await lying(), await honest()];
  await directory.pull(pulling(facts, [liar, good]));
  expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
  await directory.remove(url("x"));
  await expect(directory.pull(pulling(facts, [liar]))).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringContaining(`${liar} sent damaged bytes`),
  });
  expect(existsSync(directory.pathOf(url("x")))).toBe(false);
  expect(incoming(directory)).toEqual([]);
});

test("when several sent bytes that are damaged together, each is asked alone, and the one that lies is named", async () => {
  const { directory } = await openDirectory();
  const [half, liar] = [await breaking(1_500_000), await lying()];
  const pull = directory.pull(pulling(facts, [half, liar]));
  await expect(pull).rejects.toMatchObject({
    message: expect.stringMatching(`${half} .*${liar} sent damaged bytes`),
  });
  await directory.pull(pulling(facts, [half, liar, await honest()]));
  expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
});

test("two who ask for the same data wait for one transfer", async () => {
  const { directory } = await openDirectory();
  const requests: string[] = [];
  const from = await honest(requests);
  const [a, b] = await Promise.all([
    directory.pull(pulling(facts, [from])),
    directory.pull(pulling(facts, [await honest(requests)])),
  ]);
  expect([a.replica, b.replica]).toMatchObject([facts, facts]);
  expect(requests).toHaveLength(1);
});

test("a transfer goes on while somebody wants it, and ends when nobody does", async () => {
  const { directory } = await openDirectory();
  const from = await source((socket) => socket.write(headFor(facts)));
  const [first, second] = [new AbortController(), new AbortController()];
  const a = directory.pull(pulling(facts, [from], { signal: first.signal }));
  const b = directory.pull(pulling(facts, [from], { signal: second.signal }));
  await expect.poll(() => directory.arrivals()).toHaveLength(1);
  first.abort(new Error("a has enough"));
  await expect(a).rejects.toThrow("a has enough");
  expect(directory.arrivals()).toMatchObject([{ kind: "pull", url: "x", size: 3_000_000 }]);
  second.abort(new Error("b too"));
  await expect(b).rejects.toThrow("b too");
  await expect.poll(() => directory.arrivals()).toEqual([]);
  // Its part goes right behind it.
  await expect.poll(() => incoming(directory)).toEqual([]);
});

test("closing breaks a transfer off", async () => {
  const { directory } = await openDirectory();
  const from = await source((socket) =>
    socket.write(Buffer.concat([Buffer.from(headFor(facts)), bytes.subarray(9)])),
  );
  const pull = expect(directory.pull(pulling(facts, [from]))).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
  });
  await expect.poll(() => directory.arrivals()[0]?.receivedBytes).toBeGreaterThan(0);
  await directory.close();
  await pull;
  expect(incoming(directory)).toEqual([]);
});

test("a pull from a node that is named by a host with several addresses works", async () => {
  const [one, other] = [await openDirectory(), await openDirectory()];
  await save(one.directory, "x", bytes);
  const address = (await serve(one.directory)).replace("127.0.0.1", "localhost");
  await other.directory.pull(pulling(facts, [`${address}/x`]));
  expect(isSame(await readAll(other.directory, "x"), bytes)).toBe(true);
});

test("who gives up when all bytes are here and right gets what is put in place, for nobody else would hear of it", async () => {
  const controller = new AbortController();
  class Late extends DataThread {
    override async pull(...pull: Parameters<DataThread["pull"]>): Promise<void> {
      await super.pull(...pull);
      controller.abort(new Error("given up"));
    }
  }
  const { directory } = await openDirectory({ thread: new Late() });
  const { signal } = controller;
  const { replica } = await directory.pull(pulling(facts, [await honest()], { signal }));
  expect(replica).toEqual(directory.find(url("x")));
  expect(incoming(directory)).toEqual([]);
});
