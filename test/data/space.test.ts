import {
  appendFileSync,
  existsSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import type { DataDirectory } from "../../src/data/directory.ts";
import { writePart } from "../../src/data/write-part.ts";
import { canMount, fillDisk, mountDisk } from "../support/disk.ts";
import { bytesOf, factsOf, openDirectory, pulling, save, upload, url } from "./support/directories.ts";

const MIB = 1024 * 1024;

/** A disk of 160 MiB, of which 64 are a reserve. */
const disk = (): string => mountDisk(160);

test.skipIf(!canMount)(
  "what has no room is refused before it begins (skipped where no disk can be mounted)",
  async () => {
    const { directory } = await openDirectory({ path: disk() });
    const tooLarge = {
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringMatching(/has \d+ MB free, and \d+ MB are needed, 67 MB of them as a reserve/),
    };
    const facts = { ...factsOf("x", bytesOf(10)), size: 120 * MIB };
    await expect(
      directory.receive(new PassThrough(), upload("x", { size: 120 * MIB })),
    ).rejects.toMatchObject(tooLarge);
    await expect(directory.pull(pulling(facts, ["http://127.0.0.1:1/x"]))).rejects.toMatchObject(tooLarge);
    expect(directory.arrivals()).toEqual([]);
    // Two that have room alone, and none together.
    const first = new PassThrough();
    const arrived = directory.receive(first, upload("x", { size: 60 * MIB }));
    const given = arrived.catch(() => {});
    await expect.poll(() => directory.arrivals()).toHaveLength(1);
    await expect(directory.receive(new PassThrough(), upload("y", { size: 60 * MIB }))).rejects.toMatchObject(
      tooLarge,
    );
    first.destroy();
    await given;
  },
);

/** An upload that breaks off after so many MiB, and can be continued. */
async function brokenOff(
  directory: DataDirectory,
  { size, sent, name }: { readonly size: number; readonly sent: number; readonly name: string },
): Promise<Buffer> {
  const bytes = bytesOf(size * MIB);
  const body = new PassThrough();
  const arrived = directory.receive(body, upload(name, { size: bytes.length, uploadId: name }));
  const failed = expect(arrived).rejects.toThrow(`broke off after ${sent * MIB} bytes`);
  body.write(bytes.subarray(0, sent * MIB));
  await expect.poll(() => directory.arrivals().at(-1)?.receivedBytes).toBe(sent * MIB);
  body.destroy();
  await failed;
  return bytes;
}

test.skipIf(!canMount)(
  "uploads that nobody sends any more give way to what has no room beside them, the longest silent first",
  async () => {
    const { directory } = await openDirectory({ path: disk() });
    await brokenOff(directory, { name: "first", size: 40, sent: 30 });
    await brokenOff(directory, { name: "second", size: 30, sent: 1 });
    expect(await directory.hasRoomFor(60 * MIB)).toBe(true);
    await directory.receive(Readable.from([bytesOf(60 * MIB)]), upload("x", { size: 60 * MIB }));
    expect(directory.find(url("x"))?.size).toBe(60 * MIB);
    expect(await directory.uploadOffset("first")).toBe(undefined);
    expect(await directory.uploadOffset("second")).toBe(MIB);
  },
);

test.skipIf(!canMount)("they give way to a body of unknown length, too", async () => {
  const { directory } = await openDirectory({ path: disk() });
  await brokenOff(directory, { name: "first", size: 60, sent: 1 });
  const pieces = Array.from({ length: 80 }, () => Buffer.alloc(MIB));
  await directory.receive(Readable.from(pieces), upload("x"));
  expect(directory.find(url("x"))?.size).toBe(80 * MIB);
  expect(await directory.uploadOffset("first")).toBe(undefined);
});

test.skipIf(!canMount)(
  "an upload that broke off goes on where there is room beside it, and is not given up for what has none anyway",
  async () => {
    const { directory } = await openDirectory({ path: disk() });
    const bytes = await brokenOff(directory, { name: "first", size: 40, sent: 1 });
    await save(directory, "beside", bytesOf(20 * MIB));
    await expect(
      directory.receive(new PassThrough(), upload("large", { size: 120 * MIB })),
    ).rejects.toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
    const offset = await directory.uploadOffset("first");
    expect(offset).toBe(MIB);
    const rest = Readable.from([bytes.subarray(offset)]);
    await directory.receive(rest, upload("first", { size: bytes.length, uploadId: "first", offset }));
    expect(directory.find(url("first"))?.size).toBe(bytes.length);
  },
);

test.skipIf(!canMount)("an upload that somebody sends again does not give way", async () => {
  const { directory } = await openDirectory({ path: disk() });
  const bytes = await brokenOff(directory, { name: "first", size: 60, sent: 1 });
  const body = new PassThrough();
  const arrived = directory.receive(
    body,
    upload("first", { size: bytes.length, uploadId: "first", offset: MIB }),
  );
  body.write(bytes.subarray(MIB, 2 * MIB));
  await expect.poll(() => directory.arrivals()[0]?.receivedBytes).toBe(2 * MIB);
  await expect(
    directory.receive(new PassThrough(), upload("second", { size: 60 * MIB })),
  ).rejects.toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
  body.end(bytes.subarray(2 * MIB));
  await arrived;
  expect(directory.find(url("first"))?.size).toBe(bytes.length);
});

test.skipIf(!canMount)(
  "parts that workers write are given their room, of which what they have written is no more needed",
  async () => {
    const { directory } = await openDirectory({ path: disk() });
    const part = await directory.beginLocal(60 * MIB);
    await expect(directory.beginLocal(60 * MIB)).rejects.toMatchObject({
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringMatching(/Cannot save here: .* MB free, and \d+ MB are needed/),
    });
    expect(await directory.hasRoomFor(60 * MIB)).toBe(false);
    writeFileSync(part.path, bytesOf(50 * MIB));
    expect(await directory.hasRoomFor(30 * MIB)).toBe(true);
    expect(directory.arrivals()).toMatchObject([{ kind: "local", receivedBytes: 50 * MIB }]);
    expect(await directory.hasRoomFor(40 * MIB)).toBe(false);
    await directory.abandonLocal(part.id);
    await directory.abandonLocal((await directory.beginLocal(60 * MIB)).id);
    // Nobody said how much it will be.
    await directory.beginLocal();
    expect(await directory.hasRoomFor(90 * MIB)).toBe(true);
  },
);

test.skipIf(!canMount)("a body of unknown length is refused when the reserve is reached", async () => {
  const { directory } = await openDirectory({ path: disk() });
  const pieces = Array.from({ length: 140 }, () => Buffer.alloc(MIB));
  await expect(directory.receive(Readable.from(pieces), upload("x"))).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringContaining("the disk of the data directory has"),
  });
  expect(readdirSync(join(directory.path, ".kitchensink/incoming"))).toEqual([]);
});

test.skipIf(!canMount)(
  "a disk that gets full while data arrives ends the arrival, and it can be sent again",
  async () => {
    const { directory } = await openDirectory({ path: disk() });
    const body = new PassThrough();
    const arrived = directory.receive(body, upload("x"));
    const failed = expect(arrived).rejects.toMatchObject({
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringContaining("the disk of the data directory has"),
    });
    body.write(bytesOf(MIB));
    await expect.poll(() => directory.arrivals()[0]?.receivedBytes).toBe(MIB);
    const other = join(directory.path, ".other");
    expect(() => writeFileSync(other, Buffer.alloc(200 * MIB))).toThrow("ENOSPC");
    body.end(bytesOf(4 * MIB));
    await failed;
    expect(readdirSync(join(directory.path, ".kitchensink/incoming"))).toEqual([]);
    rmSync(other);
    await save(directory, "x", bytesOf(MIB));
    expect(directory.find(url("x"))?.size).toBe(MIB);
  },
);

test.skipIf(!canMount)("it is told when the disk has got full, and when there is room again", async () => {
  const rooms: boolean[] = [];
  const { directory } = await openDirectory({ path: disk(), onRoom: ({ isFull }) => rooms.push(isFull) });
  expect(directory.room.isFull).toBe(false);
  const other = join(directory.path, ".other");
  writeFileSync(other, Buffer.alloc(100 * MIB));
  await expect(save(directory, "x", bytesOf(10))).rejects.toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
  await expect(save(directory, "y", bytesOf(10))).rejects.toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
  expect(rooms).toEqual([true]);
  // A few bytes more than the reserve are no room yet.
  truncateSync(other, 95 * MIB);
  expect((await directory.look()).isFull).toBe(true);
  rmSync(other);
  await save(directory, "x", bytesOf(10));
  expect(rooms).toEqual([true, false]);
});

test.skipIf(!canMount)(
  "on a disk without a byte left, data can be deleted, and the journal stays whole",
  async () => {
    const path = disk();
    const { directory } = await openDirectory({ path });
    const names = Array.from({ length: 40 }, (_, at) => `data/${at}`);
    for (const name of names) await save(directory, name, bytesOf(100));
    const other = join(directory.path, ".other");
    fillDisk(other);
    for (const name of names.slice(0, 20)) expect(await directory.remove(url(name))).toBe(true);
    for (const name of names.slice(0, 20)) expect(existsSync(directory.pathOf(url(name)))).toBe(false);
    rmSync(other);
    await save(directory, "after", bytesOf(5));
    await directory.close();
    const again = await openDirectory({ path });
    const found = Array.from(again.directory.replicas(), (replica) => replica.url).toSorted();
    expect(found).toEqual([...names.slice(20), "after"].toSorted());
    expect(again.warnings).toEqual([]);
    expect(again.directory.lost).toEqual([]);
  },
);

test.skipIf(!canMount)("a file that the journal has no room for is not left in its place", async () => {
  const path = disk();
  const { directory } = await openDirectory({ path });
  // So many lines that the journal needs another page now and then.
  writeFileSync(join(directory.path, ".most"), Buffer.alloc(155 * MIB));
  const other = join(directory.path, ".other");
  for (let at = 0; at < 30; at += 1) {
    const part = await directory.beginLocal();
    const { size, sha256 } = await writePart(part.path, bytesOf(100));
    fillDisk(other);
    const facts = { url: url(`data/${at}`), size, sha256, codec: null, type: "file" } as const;
    const end = await directory.finishLocal(part.id, facts).catch((error: unknown) => error);
    const isThere = existsSync(directory.pathOf(facts.url));
    expect(isThere).toBe(directory.find(facts.url) !== undefined);
    if (!isThere) expect(end).toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
    rmSync(other);
  }
  const kept = Array.from(directory.replicas(), (replica) => replica.url).toSorted();
  expect(kept.length).toBeLessThan(30);
  await directory.close();
  const again = await openDirectory({ path });
  expect(Array.from(again.directory.replicas(), (replica) => replica.url).toSorted()).toEqual(kept);
  expect(again.warnings).toEqual([]);
});

test.skipIf(!canMount)(
  "a directory on a full disk can be opened, also with a journal to be written anew",
  async () => {
    const path = disk();
    const { directory } = await openDirectory({ path });
    const names = Array.from({ length: 60 }, (_, at) => `data/${at}`);
    for (const name of names) await save(directory, name, bytesOf(10));
    await directory.close();
    const journal = join(directory.path, ".kitchensink/replicas.jsonl");
    appendFileSync(journal, '{"url":"torn');
    const other = join(directory.path, ".other");
    fillDisk(other);
    await expect(openDirectory({ path })).rejects.toMatchObject({
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringContaining("make room there"),
    });
    // Two pages: enough for the lock, and not for the journal.
    truncateSync(other, statSync(other).size - 8_192);
    const again = await openDirectory({ path });
    expect(again.directory.room.isFull).toBe(true);
    expect([...again.directory.replicas()]).toHaveLength(60);
    rmSync(other);
    await save(again.directory, "y", bytesOf(10));
    await again.directory.close();
    const third = await openDirectory({ path });
    expect(Array.from(third.directory.replicas(), (replica) => replica.url).toSorted()).toEqual(
      [...names, "y"].toSorted(),
    );
  },
);
