import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  chmodSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
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

const own = (path: string, name: string): string => join(path, ".kitchensink", name);
const journalOf = (path: string): string => own(path, "replicas.jsonl");

/** A directory with some data in it, closed again. */
async function filled(names: Record<string, Uint8Array>): Promise<string> {
  const path = folder();
  const { directory } = await openDirectory({ path });
  for (const [name, bytes] of Object.entries(names)) await save(directory, name, bytes);
  await directory.close();
  return path;
}

test("data is a plain file under its url, read-only, in folders that nobody else can enter", async () => {
  const { directory } = await openDirectory();
  await save(directory, "mylarge/dataset", bytesOf(1_000));
  const path = directory.pathOf(url("mylarge/dataset"));
  expect(path).toBe(join(directory.path, "mylarge/dataset"));
  expect(isSame(readFileSync(path), bytesOf(1_000))).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o444);
  expect(statSync(directory.path).mode & 0o077).toBe(0);
  expect(statSync(join(directory.path, "mylarge")).mode & 0o777).toBe(0o700);
  expect(readdirSync(own(directory.path, "incoming"))).toEqual([]);
});

test("what was saved is there when the directory is opened again", async () => {
  const path = await filled({ "a/b": bytesOf(10), c: bytesOf(20) });
  const { directory, warnings } = await openDirectory({ path });
  expect(directory.find(url("a/b"))).toMatchObject({
    ...factsOf("a/b", bytesOf(10)),
    createdAtMs: expect.any(Number),
  });
  expect(Array.from(directory.replicas(), (replica) => replica.url).toSorted()).toEqual(["a/b", "c"]);
  expect(warnings).toEqual([]);
});

test("a last line that was cut short is left out, and what is written next is read again", async () => {
  const path = await filled({ a: bytesOf(10) });
  appendFileSync(journalOf(path), '{"url":"b","size":3,"sha2');
  const { directory, warnings } = await openDirectory({ path });
  expect(directory.find(url("a"))).toBeDefined();
  expect(warnings).toEqual([expect.stringContaining("1 lines cannot be read")]);
  await save(directory, "c", bytesOf(5));
  await directory.close();
  const again = await openDirectory({ path });
  expect(Array.from(again.directory.replicas(), (replica) => replica.url).toSorted()).toEqual(["a", "c"]);
  expect(again.warnings).toEqual([]);
});

test("a journal full of what is gone is written anew", async () => {
  const path = await filled({ a: bytesOf(10) });
  appendFileSync(journalOf(path), `${JSON.stringify({ url: "gone", gone: true })}\n`.repeat(2_000));
  const { directory } = await openDirectory({ path });
  expect(readFileSync(journalOf(path), "utf8").split("\n")).toHaveLength(2);
  expect(directory.find(url("a"))).toBeDefined();
});

test("a file that is missing or has another size is lost; what is left of it is put aside", async () => {
  const path = await filled({ "x/missing": bytesOf(10), "x/short": bytesOf(10) });
  rmSync(join(path, "x/missing"));
  chmodSync(join(path, "x/short"), 0o644);
  writeFileSync(join(path, "x/short"), "abc");
  const { directory, warnings } = await openDirectory({ path });
  expect(directory.lost.map(({ replica }) => replica.url).toSorted()).toEqual(["x/missing", "x/short"]);
  expect(warnings.toSorted()).toEqual([
    expect.stringContaining('"x/missing" is lost here: its file is missing'),
    expect.stringContaining('"x/short" is lost here: its file has 3 bytes instead of 10'),
  ]);
  const [aside] = readdirSync(own(path, "quarantine/x"));
  expect(readFileSync(own(path, `quarantine/x/${aside}`), "utf8")).toBe("abc");
  await save(directory, "x/short", bytesOf(10));
  await directory.close();
  expect((await openDirectory({ path })).directory.lost).toEqual([]);
});

test("a file whose times changed is hashed: found when it is sound, put aside when it is not", async () => {
  const path = await filled({ touched: bytesOf(3_000_000), damaged: bytesOf(3_000_000) });
  utimesSync(join(path, "touched"), 1, 1);
  chmodSync(join(path, "damaged"), 0o644);
  const damaged = bytesOf(3_000_000);
  damaged[2_999_999]! ^= 1;
  writeFileSync(join(path, "damaged"), damaged);
  const lost: string[] = [];
  const { directory, warnings } = await openDirectory({
    path,
    onLost: ({ replica }) => lost.push(replica.url),
  });
  // Nobody has to ask for that.
  await expect.poll(() => lost).toEqual(["damaged"]);
  expect(await directory.check(url("touched"))).toBeDefined();
  expect(await directory.check(url("damaged"))).toBe(undefined);
  expect(warnings).toEqual([expect.stringContaining('"damaged" is lost here: its bytes are not those')]);
  expect(readdirSync(own(path, "quarantine"))).toHaveLength(1);
  await directory.close();
  const lines = readFileSync(journalOf(path), "utf8").trim().split("\n");
  const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(said.findLast((line) => line["url"] === "touched")).toMatchObject({
    mtimeMs: statSync(join(path, "touched")).mtimeMs,
  });
});

test("a file that changes under its node is found out by who reads it next", async () => {
  const lost: [string, boolean][] = [];
  const { directory } = await openDirectory({
    onLost: ({ replica, isDamaged }) => lost.push([replica.url, isDamaged]),
  });
  for (const name of ["changed", "cut", "touched"]) await save(directory, name, bytesOf(1_000));
  const file = (name: string): string => directory.pathOf(url(name));
  for (const name of ["changed", "cut"]) chmodSync(file(name), 0o644);
  writeFileSync(file("changed"), bytesOf(1_000).fill(7));
  writeFileSync(file("cut"), "abc");
  utimesSync(file("touched"), 1, 1);
  await expect(readAll(directory, "changed")).rejects.toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
  expect(await directory.check(url("cut"))).toBe(undefined);
  expect(isSame(await readAll(directory, "touched"), bytesOf(1_000))).toBe(true);
  expect(lost).toEqual([
    ["changed", true],
    ["cut", true],
  ]);
  expect(readdirSync(own(directory.path, "quarantine"))).toHaveLength(2);
  await save(directory, "changed", bytesOf(1_000));
  expect(isSame(await readAll(directory, "changed"), bytesOf(1_000))).toBe(true);
});

test("many who read a file of other times at once have it hashed once", async () => {
  const { directory } = await openDirectory();
  await save(directory, "touched", bytesOf(3_000_000));
  utimesSync(directory.pathOf(url("touched")), 1, 1);
  const found = await Promise.all(Array.from({ length: 20 }, () => directory.check(url("touched"))));
  expect(found.every((replica) => replica?.url === "touched")).toBe(true);
  // Its times count from now on.
  expect(await directory.check(url("touched"))).toBeDefined();
});

test("parts of a process that was killed are removed", async () => {
  const path = await filled({});
  writeFileSync(own(path, "incoming/left.part"), "half");
  await openDirectory({ path });
  expect(readdirSync(own(path, "incoming"))).toEqual([]);
});

test("a directory of another cluster is refused", async () => {
  const path = await filled({ one: Buffer.from("1") });
  await expect(openDirectory({ path, cluster: "other" })).rejects.toMatchObject({
    code: "KS_CONFLICT",
    message: expect.stringMatching(
      /for the cluster "other": its data is of the cluster "default" .*--datadir/,
    ),
  });
  await (await openDirectory({ path })).directory.close();
});

test("a directory that has never had data is nobody's", async () => {
  const path = await filled({});
  const { directory } = await openDirectory({ path, cluster: "other" });
  expect(directory.path).toBe(path);
  await directory.close();
});

test("a directory that a living process has is refused, and free again when it is closed", async () => {
  const { directory } = await openDirectory();
  await expect(openDirectory({ path: directory.path })).rejects.toMatchObject({
    code: "KS_CONFLICT",
    message: expect.stringContaining(`process ${process.pid} uses it`),
  });
  await directory.close();
  await openDirectory({ path: directory.path });
});

const HOLD = `
  const { DataDirectory } = await import(${JSON.stringify(new URL("../../dist/data/directory.js", import.meta.url).href)});
  try {
    await DataDirectory.open({ path: process.argv[1], cluster: "default", warn: () => {} });
    process.stdout.write("open");
    setInterval(() => {}, 1000);
  } catch (error) {
    process.stdout.write(error.code);
  }
`;

const hold = (path: string) =>
  spawn(process.execPath, ["--input-type=module", "-e", HOLD, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });

test("what a killed process held is taken over", async () => {
  const path = folder();
  const child = hold(path);
  await once(child.stdout, "data");
  await expect(openDirectory({ path })).rejects.toMatchObject({ code: "KS_CONFLICT" });
  child.kill("SIGKILL");
  await once(child, "exit");
  await openDirectory({ path });
});

test("of several processes that find a dead one's directory, one gets it", async () => {
  const path = await filled({});
  const dead = { pid: 2 ** 22 - 1, startedAt: "1", machine: "", id: "dead" };
  const { directory } = await openDirectory({ path });
  const holder = JSON.parse(readFileSync(own(path, "lock"), "utf8")) as object;
  await directory.close();
  writeFileSync(
    own(path, "lock"),
    JSON.stringify({ ...holder, ...dead, machine: (holder as typeof dead).machine }),
  );
  const children = Array.from({ length: 8 }, () => hold(path));
  const said = await Promise.all(
    children.map(async (child) => String((await once(child.stdout, "data"))[0])),
  );
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, "exit")));
  expect(said.toSorted()).toEqual([...Array<string>(7).fill("KS_CONFLICT"), "open"]);
  expect(readdirSync(own(path, "")).filter((name) => name.startsWith("lock"))).toEqual(["lock"]);
});

test("whoever died while it took over a dead one's directory is succeeded too", async () => {
  const path = await filled({});
  const { directory } = await openDirectory({ path });
  const holder = JSON.parse(readFileSync(own(path, "lock"), "utf8")) as { machine: string };
  await directory.close();
  const dead = (id: string): string =>
    JSON.stringify({ pid: 2 ** 22 - 1, startedAt: "1", machine: holder.machine, id });
  writeFileSync(own(path, "lock"), dead("first"));
  writeFileSync(own(path, "lock.after-first"), dead("second"));
  writeFileSync(own(path, "lock.after-second"), dead("third"));
  const { directory: again } = await openDirectory({ path });
  expect(readdirSync(own(path, "")).filter((name) => name.startsWith("lock"))).toEqual(["lock"]);
  await again.close();
});

test("a pid that was given to another process does not hold the directory", async () => {
  const path = folder();
  const { directory } = await openDirectory({ path });
  const holder = JSON.parse(readFileSync(own(path, "lock"), "utf8")) as object;
  await directory.close();
  writeFileSync(own(path, "lock"), JSON.stringify({ ...holder, startedAt: "1", id: "other" }));
  expect((await openDirectory({ path })).directory.path).toBe(path);
});

test("removing is done once, only for the data that is meant, and takes empty folders along", async () => {
  const { directory } = await openDirectory();
  await save(directory, "a/b/c", bytesOf(10));
  await save(directory, "a/d", bytesOf(10));
  expect(await directory.remove(url("a/b/c"), sha256Of(bytesOf(11)))).toBe(false);
  expect(await directory.remove(url("a/b/c"), sha256Of(bytesOf(10)))).toBe(true);
  expect(await directory.remove(url("a/b/c"))).toBe(false);
  expect(readdirSync(join(directory.path, "a"))).toEqual(["d"]);
  await directory.remove(url("a/d"));
  expect(existsSync(join(directory.path, "a"))).toBe(false);
  await directory.close();
  const again = await openDirectory({ path: directory.path });
  expect([...again.directory.replicas()]).toEqual([]);
  expect(again.directory.lost).toEqual([]);
});

test("a reader reads on when its data is removed", async () => {
  const { directory } = await openDirectory();
  await save(directory, "a", bytesOf(2_000_000));
  const reader = await directory.openReader(url("a"));
  await directory.remove(url("a"));
  const pieces: Uint8Array[] = [];
  for await (const piece of reader.pieces()) pieces.push(piece);
  expect(isSame(Buffer.concat(pieces), bytesOf(2_000_000))).toBe(true);
});

test("no symbolic link is followed, neither out nor in", async () => {
  const { directory } = await openDirectory();
  const outside = folder();
  mkdirSync(join(outside, "deep"));
  symlinkSync(outside, join(directory.path, "link"));
  await expect(save(directory, "link/x", bytesOf(10))).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringContaining("is a symbolic link"),
  });
  await expect(save(directory, "link/deep/x", bytesOf(10))).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
  });
  expect(readdirSync(outside, { recursive: true })).toEqual(["deep"]);
  await save(directory, "in/x", bytesOf(10));
  rmSync(join(directory.path, "in"), { recursive: true });
  mkdirSync(join(outside, "in"));
  writeFileSync(join(outside, "in/x"), bytesOf(10));
  symlinkSync(join(outside, "in"), join(directory.path, "in"));
  await expect(directory.openReader(url("in/x"))).rejects.toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
  await directory.remove(url("in/x"));
  expect(existsSync(join(outside, "in/x"))).toBe(true);
});

test("a file that is replaced by a symbolic link is lost", async () => {
  const path = await filled({ x: bytesOf(10) });
  const secret = join(folder(), "secret");
  writeFileSync(secret, bytesOf(10));
  rmSync(join(path, "x"));
  symlinkSync(secret, join(path, "x"));
  const { directory } = await openDirectory({ path });
  expect(directory.lost).toMatchObject([{ reason: "something that is no file is in its place" }]);
  expect(lstatSync(secret).size).toBe(10);
});

test("a url whose path is a folder, or goes through a file, is taken", async () => {
  const { directory } = await openDirectory();
  await save(directory, "a/b", bytesOf(10));
  await expect(save(directory, "a", bytesOf(10))).rejects.toMatchObject({
    code: "KS_DATA_EXISTS",
    message: expect.stringContaining("a folder of this name holds other data"),
  });
  await expect(save(directory, "a/b/c", bytesOf(10))).rejects.toMatchObject({
    code: "KS_DATA_EXISTS",
    message: expect.stringContaining("is a file, not a folder"),
  });
  expect(readdirSync(own(directory.path, "incoming"))).toEqual([]);
});

test("a file that vanished is told as lost when somebody wants to read it", async () => {
  const lost: string[] = [];
  const { directory } = await openDirectory({ onLost: ({ replica }) => lost.push(replica.url) });
  await save(directory, "a", bytesOf(10));
  rmSync(directory.pathOf(url("a")));
  await expect(readAll(directory, "a")).rejects.toMatchObject({ code: "KS_DATA_UNAVAILABLE" });
  expect(lost).toEqual(["a"]);
  expect(directory.find(url("a"))).toBe(undefined);
});
