import { get as httpGet, createServer } from "node:http";
import { connect } from "node:net";
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { Arrival } from "../../src/data/arrival.ts";
import { BufferPool } from "../../src/data/buffer-pool.ts";
import { deliver } from "../../src/data/deliver.ts";
import { parseRange } from "../../src/data/ranges.ts";
import {
  bytesOf,
  factsOf,
  headFor,
  isSame,
  listen,
  offsetAsked,
  openDirectory,
  pulling,
  readAll,
  save,
  serve,
  source,
  url,
} from "./support/directories.ts";

const bytes = bytesOf(5_000_000);
const facts = factsOf("x", bytes);

test.each([
  [undefined, undefined],
  ["bytes=0-9", { start: 0, end: 10 }],
  ["bytes=10-", { start: 10, end: 100 }],
  ["bytes=90-500", { start: 90, end: 100 }],
  ["bytes=-5", { start: 95, end: 100 }],
  ["bytes=-500", { start: 0, end: 100 }],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=5-4", undefined],
  ["bytes=0-1,5-6", undefined],
  ["bytes=a-b", undefined],
  ["bytes=-", undefined],
  ["items=0-1", undefined],
])("the range %s of 100 bytes", (header, expected) => {
  expect(parseRange(header, 100)).toEqual(expected);
});

test("no range of no bytes can be satisfied", () => {
  expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable");
  expect(parseRange(undefined, 0)).toBe(undefined);
});

async function fetchBytes(address: string, headers: Record<string, string> = {}): Promise<[number, Buffer]> {
  return new Promise((resolve, reject) => {
    httpGet(address, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve([response.statusCode ?? 0, Buffer.concat(chunks)]));
      response.on("error", reject);
    }).on("error", reject);
  });
}

test("a replica is served whole and in ranges", async () => {
  const { directory } = await openDirectory();
  await save(directory, "x", bytes);
  const address = `${await serve(directory)}/x`;
  const [status, whole] = await fetchBytes(address);
  expect([status, isSame(whole, bytes)]).toEqual([200, true]);
  const [partial, middle] = await fetchBytes(address, { range: "bytes=1000000-3999999" });
  expect([partial, isSame(middle, bytes.subarray(1_000_000, 4_000_000))]).toEqual([206, true]);
});

test("what is not there is said at once, or after a wait", async () => {
  const { directory } = await openDirectory();
  await expect(directory.openReader(url("x"))).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
  await expect(directory.openReader(url("x"), { waitMs: 20 })).rejects.toMatchObject({
    code: "KS_NO_SUCH_DATA",
  });
  const waiting = directory.openReader(url("x"), { waitMs: 10_000 });
  await save(directory, "y", bytes);
  await save(directory, "x", bytes);
  const reader = await waiting;
  expect(reader.facts).toMatchObject(facts);
  await reader.close();
  const controller = new AbortController();
  const aborted = directory.openReader(url("z"), { waitMs: 10_000, signal: controller.signal });
  controller.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
});

/** A source that the test feeds: `send` up to an offset. */
async function fed(): Promise<{
  address: string;
  send: (end: number, data?: Buffer) => void;
  asked: () => number;
}> {
  const state = { sent: 0, asked: 0 };
  let write: (piece: Uint8Array) => void = () => {};
  const address = await source((socket, request) => {
    state.asked += 1;
    state.sent = offsetAsked(request);
    socket.write(headFor(facts, state.sent));
    write = (piece) => socket.write(piece);
  });
  return {
    address,
    asked: () => state.asked,
    send: (end, data = bytes) => {
      write(data.subarray(state.sent, end));
      state.sent = end;
    },
  };
}

test("what arrives is read while it arrives, but for its last byte, which waits for the hash", async () => {
  const { directory } = await openDirectory();
  const { address, send, asked } = await fed();
  const pull = directory.pull(pulling(facts, [address]));
  const reader = await directory.openReader(url("x"), { waitMs: 5_000 });
  expect(reader).toMatchObject({ isArriving: true, facts });
  let read = Buffer.alloc(0);
  const reading = (async () => {
    for await (const piece of reader.pieces()) read = Buffer.concat([read, piece]);
  })();
  await expect.poll(asked).toBe(1);
  send(2_000_000);
  await expect.poll(() => read.length).toBe(2_000_000);
  send(4_999_999);
  await expect.poll(() => read.length).toBe(4_999_999);
  expect(directory.find(url("x"))).toBe(undefined);
  send(5_000_000);
  await Promise.all([pull, reading]);
  expect(isSame(read, bytes)).toBe(true);
});

test("the last byte of an arrival can be read when its hash is right", () => {
  const arrival = new Arrival("/tmp", { kind: "pull", url: facts.url, size: facts.size, facts });
  arrival.grow(5_000_000);
  expect(arrival.readableBytes).toBe(4_999_999);
  arrival.restart();
  expect(arrival.readableBytes).toBe(0);
  arrival.verify();
  expect(arrival.readableBytes).toBe(5_000_000);
});

test("who reads what turns out to be damaged fails, and never gets the last byte", async () => {
  const { directory } = await openDirectory();
  const { address, send, asked } = await fed();
  const pull = expect(directory.pull(pulling(facts, [address]))).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
  });
  const reader = await directory.openReader(url("x"), { waitMs: 5_000 });
  let count = 0;
  const reading = (async () => {
    for await (const piece of reader.pieces()) count += piece.length;
  })();
  await expect.poll(asked).toBe(1);
  send(5_000_000, bytesOf(5_000_000, 2));
  await expect(reading).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringMatching("damaged"),
  });
  expect(count).toBeLessThan(5_000_000);
  await pull;
});

test("data goes down a chain of nodes while it still arrives at the first", async () => {
  const { address, send, asked } = await fed();
  const [a, b, c] = await Promise.all([openDirectory(), openDirectory(), openDirectory()]);
  const [atA, atB] = [await serve(a.directory), await serve(b.directory)];
  const pulls = [
    a.directory.pull(pulling(facts, [address])),
    b.directory.pull(pulling(facts, [`${atA}/x`])),
    c.directory.pull(pulling(facts, [`${atB}/x`])),
  ];
  await expect.poll(asked).toBe(1);
  send(3_000_000);
  await expect.poll(() => c.directory.arrivals()[0]?.receivedBytes).toBe(3_000_000);
  send(5_000_000);
  await Promise.all(pulls);
  for (const { directory } of [a, b, c]) expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
  expect(asked()).toBe(1);
});

test("a chain whose first source lies ends well when another source is honest", async () => {
  const liar = await source((socket, request) => {
    const offset = offsetAsked(request);
    socket.end(Buffer.concat([Buffer.from(headFor(facts, offset)), bytesOf(5_000_000, 2).subarray(offset)]));
  });
  const [good, a, b] = await Promise.all([openDirectory(), openDirectory(), openDirectory()]);
  await save(good.directory, "x", bytes);
  const [atGood, atA] = [await serve(good.directory), await serve(a.directory)];
  await Promise.all([
    a.directory.pull(pulling(facts, [liar, `${atGood}/x`])),
    b.directory.pull(pulling(facts, [`${atA}/x`])),
  ]);
  for (const { directory } of [a, b]) expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
});

test("a peer that goes away ends the sending", async () => {
  const { directory } = await openDirectory();
  await save(directory, "x", bytesOf(50_000_000));
  const outcomes: unknown[] = [];
  const address = await listen(
    createServer(async (_, response) => {
      const reader = await directory.openReader(url("x"));
      outcomes.push(await reader.sendTo(response).catch((error: unknown) => error));
    }),
  );
  const { hostname, port } = new URL(address);
  for (let round = 0; round < 40; round += 1) {
    const socket = connect(Number(port), hostname, () => socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    await expect.poll(() => outcomes.length).toBe(round + 1);
  }
  expect(outcomes[0]).toMatchObject({ code: "KS_CONNECTION_LOST" });
});

test("a target that fails, and a directory that closes, end the sending", async () => {
  const { directory } = await openDirectory();
  await save(directory, "x", bytes);
  const failing = new Writable({ write: (_, __, done) => done(new Error("no more")) });
  await expect((await directory.openReader(url("x"))).sendTo(failing)).rejects.toThrow("no more");
  const slow = new Writable({ write: () => {} });
  const sending = (await directory.openReader(url("x"))).sendTo(slow);
  const failed = expect(sending).rejects.toMatchObject({
    message: expect.stringContaining("its reader was closed"),
  });
  await directory.close();
  await failed;
  expect(slow.destroyed).toBe(true);
});

test("whoever has sent, or failed to, has given all buffers back", async () => {
  const pool = new BufferPool(2);
  const sends = (target: Writable): Promise<void> =>
    deliver({
      target,
      pool,
      range: { start: 0, end: 10_000_000 },
      signal: new AbortController().signal,
      read: async (buffer) => buffer.length,
      ready: async () => {},
    });
  let taken = 0;
  const counting = new Writable({
    write: (piece: Buffer, _, done) => {
      taken += piece.length;
      setImmediate(done);
    },
  });
  await sends(counting);
  expect(taken).toBe(10_000_000);
  await expect(
    sends(new Writable({ write: (_, __, done) => setImmediate(done, new Error("no more")) })),
  ).rejects.toThrow("no more");
  const slow = new Writable({ write: () => slow.destroy() });
  await expect(sends(slow)).rejects.toThrow("closed the connection");
  expect([pool.lend().length, pool.lend().length]).toEqual([1_048_576, 1_048_576]);
});

test("readers have large buffers up to a limit, and small ones then", () => {
  const pool = new BufferPool(1);
  const [large, small] = [pool.lend(), pool.lend()];
  expect([large.length, small.length]).toEqual([1_048_576, 32_768]);
  pool.release(small);
  pool.release(large);
  expect(pool.lend()).toBe(large);
  expect(pool.lend()).toHaveLength(32_768);
});
