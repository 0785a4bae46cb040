import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { DataDirectory } from "../../src/data/directory.ts";
import { DataThread } from "../../src/data/data-thread.ts";
import {
  bytesOf,
  isSame,
  listen,
  openDirectory,
  readAll,
  save,
  sha256Of,
  upload,
  url,
} from "./support/directories.ts";

const incoming = (directory: DataDirectory): string[] =>
  readdirSync(join(directory.path, ".kitchensink/incoming"));

test("a body of many pieces is kept as it came, and its hash is found on the way", async () => {
  const { directory } = await openDirectory();
  const bytes = bytesOf(5_000_001);
  const pieces = Array.from({ length: 77 }, (_, at) => bytes.subarray(at * 65_000, (at + 1) * 65_000));
  const { replica, isKnown } = await directory.receive(
    Readable.from(pieces),
    upload("x/y", { codec: "json", type: "object" }),
  );
  expect(replica).toMatchObject({
    url: "x/y",
    size: 5_000_001,
    sha256: sha256Of(bytes),
    codec: "json",
    type: "object",
  });
  expect(isKnown).toBe(false);
  expect(isSame(readFileSync(directory.pathOf(url("x/y"))), bytes)).toBe(true);
});

test("data of no bytes is data", async () => {
  const { directory } = await openDirectory();
  await directory.receive(Readable.from([]), upload("empty", { size: 0 }));
  expect(directory.find(url("empty"))?.size).toBe(0);
  expect(isSame(await readAll(directory, "empty"), Buffer.alloc(0))).toBe(true);
});

test.each([
  ["a wrong hash", { sha256: sha256Of(bytesOf(11)) }, "was announced"],
  ["another hash behind it", { sha256Behind: () => sha256Of(bytesOf(11)) }, "was announced"],
  [
    "another hash before it, and the right one behind it",
    { sha256: sha256Of(bytesOf(11)), sha256Behind: () => sha256Of(bytesOf(100_000)) },
    "was announced",
  ],
  ["too few bytes", { size: 200_000 }, "100000 bytes came, and 200000 were announced"],
  ["too many bytes", { size: 50_000 }, "more than the 50000 bytes came"],
])("%s is refused, and nothing is left", async (_, announced, message) => {
  const { directory } = await openDirectory();
  const bytes = bytesOf(100_000);
  await expect(directory.receive(Readable.from([bytes]), upload("x", announced))).rejects.toMatchObject({
    code: "KS_BAD_REQUEST",
    message: expect.stringContaining(message),
  });
  expect(incoming(directory)).toEqual([]);
  expect(existsSync(directory.pathOf(url("x")))).toBe(false);
  expect(directory.arrivals()).toEqual([]);
});

test("nothing is in place before all bytes have come", async () => {
  const { directory } = await openDirectory();
  const body = new PassThrough();
  const arrived = directory.receive(body, upload("x", { size: 600_000 }));
  body.write(bytesOf(600_000).subarray(0, 599_999));
  await expect.poll(() => directory.arrivals()[0]?.receivedBytes).toBe(599_999);
  expect(directory.arrivals()).toMatchObject([{ kind: "upload", url: "x", size: 600_000 }]);
  expect(existsSync(directory.pathOf(url("x")))).toBe(false);
  expect(directory.find(url("x"))).toBe(undefined);
  body.end(bytesOf(600_000).subarray(599_999));
  await arrived;
  expect(isSame(await readAll(directory, "x"), bytesOf(600_000))).toBe(true);
});

test("the same bytes saved twice at the same time are saved once; others are refused", async () => {
  const { directory } = await openDirectory();
  // It begins before the others, and ends after them.
  const slow = new PassThrough();
  const other = directory.receive(slow, upload("x"));
  slow.write(bytesOf(100));
  const both = await Promise.all([
    directory.receive(Readable.from([bytesOf(300_000)]), upload("x")),
    directory.receive(Readable.from([bytesOf(300_000)]), upload("x")),
  ]);
  slow.end();
  expect(both.map(({ isKnown }) => isKnown).toSorted()).toEqual([false, true]);
  await expect(other).rejects.toMatchObject({ code: "KS_DATA_EXISTS" });
  expect(isSame(await readAll(directory, "x"), bytesOf(300_000))).toBe(true);
  expect(incoming(directory)).toEqual([]);
});

test("the same bytes under another codec are other data", async () => {
  const { directory } = await openDirectory();
  await save(directory, "x", bytesOf(10));
  const again = directory.receive(
    Readable.from([bytesOf(10)]),
    upload("x", { codec: "json", type: "object" }),
  );
  await expect(again).rejects.toMatchObject({ code: "KS_DATA_EXISTS" });
});

test("a file that lies in the place already is never replaced, and taken in when it has the same bytes", async () => {
  const { directory } = await openDirectory();
  writeFileSync(join(directory.path, "same"), bytesOf(10));
  writeFileSync(join(directory.path, "other"), "else");
  await save(directory, "same", bytesOf(10));
  expect(directory.find(url("same"))).toBeDefined();
  await expect(save(directory, "other", bytesOf(10))).rejects.toMatchObject({ code: "KS_DATA_EXISTS" });
  expect(readFileSync(join(directory.path, "other"), "utf8")).toBe("else");
});

test("an upload without an id that breaks off leaves nothing", async () => {
  const { directory } = await openDirectory();
  const body = new PassThrough();
  const arrived = directory.receive(body, upload("x"));
  body.write(bytesOf(100_000));
  await expect.poll(() => directory.arrivals()[0]?.receivedBytes).toBe(100_000);
  body.destroy();
  await expect(arrived).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringContaining("broke off"),
  });
  expect(incoming(directory)).toEqual([]);
});

test("an upload with an id goes on where it broke off", async () => {
  const { directory } = await openDirectory();
  const bytes = bytesOf(1_000_000);
  const whole = { size: bytes.length, sha256: sha256Of(bytes), uploadId: "u1" };
  const body = new PassThrough();
  const arrived = directory.receive(body, upload("x", whole));
  body.write(bytes.subarray(0, 400_001));
  await expect.poll(() => directory.arrivals()[0]?.receivedBytes).toBe(400_001);
  body.destroy();
  await expect(arrived).rejects.toMatchObject({
    message: expect.stringContaining("broke off after 400001 bytes"),
  });
  expect(await directory.uploadOffset("u1")).toBe(400_001);
  expect(await directory.uploadOffset("u2")).toBe(undefined);
  const rest = Readable.from([bytes.subarray(400_001)]);
  await expect(
    directory.receive(Readable.from([]), upload("x", { ...whole, offset: 7 })),
  ).rejects.toMatchObject({ code: "KS_CONFLICT" });
  await directory.receive(rest, upload("x", { ...whole, offset: 400_001 }));
  expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
  expect(await directory.uploadOffset("u1")).toBe(undefined);
});

test("who asks for the offset takes the upload over from a connection that hangs", async () => {
  const { directory } = await openDirectory();
  const bytes = bytesOf(1_000_000);
  const hanging = new PassThrough();
  const arrived = directory.receive(hanging, upload("x", { uploadId: "u1" }));
  const failed = expect(arrived).rejects.toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
  hanging.write(bytes.subarray(0, 300_000));
  await expect.poll(() => directory.arrivals()[0]?.receivedBytes).toBe(300_000);
  const offset = await directory.uploadOffset("u1");
  await failed;
  expect(offset).toBe(300_000);
  await directory.receive(Readable.from([bytes.subarray(offset)]), upload("x", { uploadId: "u1", offset }));
  expect(isSame(await readAll(directory, "x"), bytes)).toBe(true);
});

test("an upload that is begun anew under its id begins at its beginning", async () => {
  const { directory } = await openDirectory();
  const body = new PassThrough();
  const arrived = directory.receive(body, upload("x", { uploadId: "u1" }));
  body.write(bytesOf(1_000));
  await expect.poll(() => directory.arrivals()[0]?.receivedBytes).toBe(1_000);
  body.destroy();
  await expect(arrived).rejects.toThrow("broke off");
  await directory.receive(Readable.from([bytesOf(2_000)]), upload("x", { uploadId: "u1" }));
  expect(isSame(await readAll(directory, "x"), bytesOf(2_000))).toBe(true);
  expect(incoming(directory)).toEqual([]);
});

test("a request whose data is refused can still be answered", async () => {
  const { directory } = await openDirectory();
  const address = await listen(
    createServer((request, response) => {
      directory.receive(request, upload("x", { size: 10 })).catch((error: { code: string }) => {
        response.writeHead(400).end(error.code);
      });
    }),
  );
  const answer = await new Promise<string>((resolve, reject) => {
    const request = httpRequest(address, { method: "PUT" }, (response) => {
      response.on("data", (chunk) => resolve(String(chunk)));
    });
    request.on("error", reject);
    request.end(bytesOf(100));
  });
  expect(answer).toBe("KS_BAD_REQUEST");
});

test("an upload is aborted by its signal", async () => {
  const { directory } = await openDirectory();
  const controller = new AbortController();
  const arrived = directory.receive(new PassThrough(), upload("x", { signal: controller.signal }));
  const failed = expect(arrived).rejects.toThrow("broke off after 0 bytes");
  await expect.poll(() => directory.arrivals()).toHaveLength(1);
  controller.abort();
  await failed;
  expect(incoming(directory)).toEqual([]);
});

test("closing breaks off what arrives, and leaves nothing of it", async () => {
  const { directory } = await openDirectory();
  const bodies = [new PassThrough(), new PassThrough()];
  const arrivals = bodies.map((body, at) =>
    directory.receive(body, upload(`x${at}`, { uploadId: `u${at}` })),
  );
  const settled = Promise.allSettled(arrivals);
  for (const body of bodies) body.write(bytesOf(300_000));
  await expect
    .poll(() => directory.arrivals().every(({ receivedBytes }) => receivedBytes === 300_000))
    .toBe(true);
  bodies[1]?.destroy();
  const local = await directory.beginLocal();
  writeFileSync(local.path, "half");
  await directory.close();
  expect(await settled).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
  expect(incoming(directory)).toEqual([]);
  await expect(directory.receive(Readable.from([]), upload("y"))).rejects.toMatchObject({
    message: expect.stringContaining("this node is stopping"),
  });
});

test("when the data thread dies, arrivals fail, and the next one has a new thread", async () => {
  const entry = fileURLToPath(new URL("./fixtures/dying-thread.mjs", import.meta.url));
  const thread = new DataThread(entry);
  const { directory } = await openDirectory({ thread });
  const arrived = directory.receive(Readable.from([bytesOf(13)]), upload("x"));
  await expect(arrived).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringContaining("the thread that moves data ended (exit code 7)"),
  });
  expect(incoming(directory)).toEqual([]);
  await save(directory, "x", bytesOf(300_000));
  expect(isSame(await readAll(directory, "x"), bytesOf(300_000))).toBe(true);
});
