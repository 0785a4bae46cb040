import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseGlob } from "../../src/core/glob.ts";
import type { Adoption } from "../../src/data/types.ts";
import { writePart } from "../../src/data/write-part.ts";
import {
  bytesOf,
  factsOf,
  folder,
  isSame,
  openDirectory,
  readAll,
  save,
  sha256Of,
  url,
} from "./support/directories.ts";

const bytes = bytesOf(3_333_333);
const written = { size: bytes.length, sha256: sha256Of(bytes) };

async function* piecesOf(length: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += length) yield bytes.subarray(from, from + length);
}

test.each([
  ["bytes", () => bytes],
  ["small pieces", () => piecesOf(1_000)],
  ["large pieces", () => piecesOf(2_000_000)],
])("a part is written from %s, and hashed", async (_, from) => {
  const path = join(folder(), "part");
  expect(await writePart(path, from())).toEqual(written);
  expect(isSame(readFileSync(path), bytes)).toBe(true);
});

test("a part is written from a file, which stays as it is", async () => {
  const path = folder();
  writeFileSync(join(path, "file"), bytes);
  expect(await writePart(join(path, "part"), { file: join(path, "file") })).toEqual(written);
  expect(isSame(readFileSync(join(path, "part")), bytes)).toBe(true);
  expect(isSame(readFileSync(join(path, "file")), bytes)).toBe(true);
});

test("a part that fails leaves nothing, and what was there stays", async () => {
  const path = join(folder(), "part");
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield bytes;
    throw new Error("no more");
  }
  await expect(writePart(path, failing())).rejects.toThrow("no more");
  expect(existsSync(path)).toBe(false);
  await expect(writePart(path, { file: `${path}.missing` })).rejects.toThrow("ENOENT");
  writeFileSync(path, "mine");
  await expect(writePart(path, bytes)).rejects.toThrow("EEXIST");
  expect(readFileSync(path, "utf8")).toBe("mine");
});

test("a worker's part gets its place", async () => {
  const { directory } = await openDirectory();
  const { id, path } = await directory.beginLocal();
  expect(directory.arrivals()).toMatchObject([{ kind: "local", url: null }]);
  await writePart(path, bytes);
  const { replica, isKnown } = await directory.finishLocal(id, factsOf("a/x", bytes));
  expect({ replica, isKnown }).toMatchObject({ replica: factsOf("a/x", bytes), isKnown: false });
  expect(isSame(await readAll(directory, "a/x"), bytes)).toBe(true);
  expect(statSync(directory.pathOf(url("a/x"))).mode & 0o777).toBe(0o444);
  await expect(directory.finishLocal(id, factsOf("a/y", bytes))).rejects.toMatchObject({
    code: "KS_BAD_REQUEST",
  });
});

test("a part of another size, that is missing, or that is no regular file is refused and removed", async () => {
  const { directory } = await openDirectory();
  const elsewhere = join(folder(), "secret");
  writeFileSync(elsewhere, bytes);
  const makers = [
    (path: string) => writeFileSync(path, bytes.subarray(1)),
    () => {},
    (path: string) => symlinkSync(elsewhere, path),
    (path: string) => mkdirSync(path),
  ];
  for (const make of makers) {
    const { id, path } = await directory.beginLocal();
    make(path);
    await expect(directory.finishLocal(id, factsOf("x", bytes))).rejects.toMatchObject({
      code: expect.stringMatching(/KS_BAD_REQUEST|KS_DATA_UNAVAILABLE/),
    });
  }
  const abandoned = await directory.beginLocal();
  await writePart(abandoned.path, bytes);
  await directory.abandonLocal(abandoned.id);
  expect(readdirSync(join(directory.path, ".kitchensink/incoming"))).toEqual([]);
  expect(directory.arrivals()).toEqual([]);
  expect(existsSync(elsewhere)).toBe(true);
});

async function adopted(adoptions: AsyncGenerator<Adoption>): Promise<string[]> {
  const seen: string[] = [];
  for await (const adoption of adoptions)
    seen.push(adoption.type === "adopted" ? adoption.replica.url : `${adoption.path}: ${adoption.reason}`);
  return seen;
}

test("files that match are taken in where they are, once, and stay so", async () => {
  const { directory } = await openDirectory();
  const at = (name: string): string => join(directory.path, name);
  mkdirSync(at("data/deep/.hidden"), { recursive: true });
  mkdirSync(at("other"));
  for (const name of [
    "data/a.csv",
    "data/deep/b.csv",
    "data/deep/.c.csv",
    "data/deep/.hidden/d.csv",
    "data/e.txt",
  ])
    writeFileSync(at(name), bytes);
  writeFileSync(at("other/f.csv"), bytes);
  await save(directory, "data/known.csv", bytesOf(10));
  symlinkSync(at("other/f.csv"), at("data/link.csv"));
  symlinkSync(at("other"), at("data/linked"));
  const bad = "data/e\u0301.csv";
  writeFileSync(at(bad), bytes);
  const patterns = [parseGlob("data/**/*.csv"), parseGlob("data/deep/*")];
  expect(await adopted(directory.adopt(patterns))).toEqual([
    "data/a.csv",
    "data/deep/b.csv",
    expect.stringMatching(/^data\/e.*decomposed/),
    "data/link.csv: it is a symbolic link",
  ]);
  expect(directory.find(url("data/deep/b.csv"))).toMatchObject(factsOf("data/deep/b.csv", bytes));
  expect(statSync(at("data/a.csv")).mode & 0o777).toBe(0o444);
  expect(await adopted(directory.adopt(patterns))).toHaveLength(2);
  await directory.close();
  const again = await openDirectory({ path: directory.path });
  expect(again.directory.find(url("data/a.csv"))).toBeDefined();
  expect(again.warnings).toEqual([]);
});

test("a file that is written to while it is hashed is refused", async () => {
  const { directory } = await openDirectory();
  const path = join(directory.path, "growing");
  writeFileSync(path, bytesOf(100_000_000));
  let isDone = false;
  const grow = (): void => {
    if (isDone) return;
    writeFileSync(path, "x", { flag: "a" });
    setImmediate(grow);
  };
  grow();
  const seen = await adopted(directory.adopt([parseGlob("*")]));
  isDone = true;
  expect(seen).toEqual(["growing: it changed while it was read"]);
});

test("adopting ends when it is aborted", async () => {
  const { directory } = await openDirectory();
  for (const name of ["a", "b", "c"]) writeFileSync(join(directory.path, name), bytes);
  const controller = new AbortController();
  const adoptions = directory.adopt([parseGlob("*")], { signal: controller.signal });
  await adoptions.next();
  controller.abort(new Error("enough"));
  await expect(adoptions.next()).rejects.toThrow("enough");
});
