import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster } from "kitchensink/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../store/support/redis.ts";
import { runCommand, startNodeProcess } from "../support/cli.ts";
import { useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { data, hasTerminal, rowsIn, stallingAt, startData } from "./support/data-command.ts";

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
const HASH = sha256("a,b\n");

/** A directory with files in it. */
function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

test("a file that was put is listed, described, fetched and removed", async () => {
  const node = await startNodeProcess(["--embedded", "--node-name", "kitchen"]);
  const folder = folderWith({ "rows.csv": "a,b\n" });
  const put = await data(node, ["put", "rows.csv", "logs/", "--codec", "json"], { folder });
  expect(put).toEqual({ code: 0, stdout: `logs/rows.csv  4 B  ${HASH}\n`, stderr: "" });
  const list = await data(node, ["ls", "--long", "logs/*"]);
  expect(list.stdout).toMatch(/^SIZE +TYPE +CODEC +REPLICAS +CREATED +SHA256 +URL\n/);
  expect(list.stdout).toMatch(
    new RegExp(` 4 B +file +json +1: kitchen +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d +${HASH} +logs/rows.csv\n$`),
  );
  const info = await data(node, ["info", "logs/rows.csv"]);
  expect(info.stdout).toMatch(/^logs\/rows\.csv\n {2}size +4 B\n {2}type +file, codec json\n/);
  expect(info.stdout).toContain(`kitchen ${node.url}`);
  const got = await data(node, ["get", "logs/rows.csv", "copy.csv"], { folder });
  expect(got).toEqual({ code: 0, stdout: `copy.csv  4 B  ${HASH}\n`, stderr: "" });
  expect(readFileSync(join(folder, "copy.csv"), "utf8")).toBe("a,b\n");
  const removed = await data(node, ["rm", "logs/rows.csv"]);
  expect(removed).toEqual({ code: 0, stdout: "logs/rows.csv: deleted on kitchen\n", stderr: "" });
  const empty = await data(node, ["ls"]);
  expect(empty).toMatchObject({ code: 0, stdout: "" });
  expect(empty.stderr).toContain("Nothing matches **");
});

test("with --json every line of stdout is an object", async () => {
  const node = await startNodeProcess(["--embedded", "--node-name", "kitchen"]);
  const folder = folderWith({ "rows.csv": "a,b\n" });
  const replicas = [{ node: "kitchen", url: node.url, isAlive: true }];
  const facts = { url: "logs/a", size: 4, sha256: HASH, codec: null, type: "file" };
  const put = await data(node, ["put", "--json", "rows.csv", "logs/a"], { folder });
  expect(rowsIn(put)).toEqual([{ ...facts, replicas, createdAt: expect.any(String) }]);
  await data(node, ["put", "rows.csv", "logs/b"], { folder });
  for (const command of [["ls"], ["info", "logs/a", "logs/b"]]) {
    const told = rowsIn(await data(node, [...command, "--json"]));
    expect(told).toMatchObject([{ ...facts, replicas }, { url: "logs/b" }]);
  }
  const got = await data(node, ["get", "--json", "logs/a", "copy"], { folder });
  expect(rowsIn(got)).toEqual([{ url: "logs/a", path: "copy", size: 4, sha256: HASH }]);
  const copied = await data(node, ["pipeline", "--json", "logs/a"]);
  expect(rowsIn(copied)).toMatchObject([{ url: "logs/a", copies: [{ node: "kitchen", status: "present" }] }]);
  const removed = await data(node, ["rm", "--json", "--match", "**", "--yes"]);
  expect(rowsIn(removed)).toEqual([
    { url: "logs/a", deleted: ["kitchen"], pending: [] },
    { url: "logs/b", deleted: ["kitchen"], pending: [] },
  ]);
  writeFileSync(join(node.directory, "data", "new"), "a,b\n");
  symlinkSync("new", join(node.directory, "data", "newer"));
  const adopted = await data(node, ["adopt", "--json", "new*"]);
  expect(rowsIn(adopted)).toMatchObject([{ adopted: { url: "new" } }, { refused: { path: "newer" } }]);
  expect((await data(node, ["ls", "--json", "nothing"])).stdout).toBe("");
});

test("bytes go through pipes as they are, and stdin is kept nowhere afterwards", async () => {
  const node = await startNodeProcess();
  const text = "äöü\n".repeat(100_000);
  const folder = temporaryDirectory();
  const put = await data(node, ["put", "-", "text"], { stdin: text, env: { TMPDIR: folder } });
  expect(put).toMatchObject({ code: 0, stderr: "" });
  expect(put.stdout).toContain(sha256(text));
  expect(readdirSync(folder)).toEqual([]);
  const got = await data(node, ["get", "text", "-"]);
  expect(got).toEqual({ code: 0, stdout: text, stderr: "" });
});

test("who stops reading a pipe ends the command", async () => {
  const node = await startNodeProcess();
  const folder = folderWith({ big: randomBytes(8_000_000) });
  await data(node, ["put", "big", "big"], { folder });
  const { child, ended } = startData(node, ["get", "big", "-"]);
  child.stdout?.once("data", () => child.stdout?.destroy());
  expect(await ended).toMatchObject({ code: 141, stderr: "" });
});

describe("get", () => {
  test("overwrites nothing unless it is told to, and follows links", async () => {
    const node = await startNodeProcess();
    const folder = folderWith({ "rows.csv": "a,b\n", other: "c\n" });
    symlinkSync("other", join(folder, "link"));
    await data(node, ["put", "rows.csv", "logs/rows.csv"], { folder });
    const refused = await data(node, ["get", "logs/rows.csv", "other"], { folder });
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toBe(
      "kitchensink: Cannot write other: it is there already (--force overwrites it)\n",
    );
    expect(readFileSync(join(folder, "other"), "utf8")).toBe("c\n");
    expect(await data(node, ["get", "--force", "logs/rows.csv", "link"], { folder })).toMatchObject({
      code: 0,
    });
    expect(readFileSync(join(folder, "other"), "utf8")).toBe("a,b\n");
    expect(readdirSync(folder).toSorted()).toEqual(["link", "other", "rows.csv"]);
  });

  test("writes into a directory, by default the one it is in, under the url's last part", async () => {
    const node = await startNodeProcess();
    const folder = folderWith({ "rows.csv": "a,b\n" });
    await data(node, ["put", "rows.csv", "logs/copy.csv"], { folder });
    mkdirSync(join(folder, "inner"));
    expect(await data(node, ["get", "logs/copy.csv"], { folder })).toMatchObject({ code: 0 });
    expect(await data(node, ["get", "logs/copy.csv", "inner"], { folder })).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, "inner", "copy.csv"), "utf8")).toBe("a,b\n");
    expect(readdirSync(folder).toSorted()).toEqual(["copy.csv", "inner", "rows.csv"]);
    const absent = await data(node, ["get", "logs/copy.csv", "absent/"], { folder });
    expect(absent).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no directory absent/"),
    });
  });
});

describe("mistakes are told in one line", () => {
  test("no node there, a wrong token, no such data, a url that is taken", async () => {
    const node = await startNodeProcess();
    const folder = folderWith({ a: "1", b: "2" });
    await data(node, ["put", "a", "x/a"], { folder });
    const mistakes: [readonly string[], number, RegExp][] = [
      [
        ["ls", "--url", `http://localhost:${await freePort()}/`],
        6,
        /Cannot reach a node .*: nothing listens there/,
      ],
      [["ls", "--url", "somewhere"], 2, /Not the address of a node: "somewhere"/],
      [["ls", "["], 1, /Not a pattern: "\["/],
      [["info", "x/b"], 5, /Nothing is saved under x\/b \(kitchensink data ls/],
      [["get", "x/none"], 5, /Nothing is saved under x\/none \(kitchensink data ls/],
      [["get", "x/a", "-", "--json"], 2, /both data and JSON/],
      [["pipeline", "x/b"], 5, /Nothing is saved under x\/b/],
      [["pipeline", "x/a", "--copies", "none"], 2, /Not a value for --copies: "none"/],
      [["put", "b", "x/a"], 1, /Cannot save data as "x\/a": other data is saved under it/],
      [["put", "b", "../a"], 1, /Not a data url: "\.\.\/a"/],
      [["put", "c", "x/c"], 2, /Cannot store c: there is no such file/],
      [["put", ".", "x/c"], 2, /Cannot store \.: it is a directory/],
      [["put", "b", "x/c", "--type", "object"], 2, /Cannot store an object without its codec/],
      [["put", "b", "x/c", "--node", "nobody"], 1, /nobody/],
      [["rm"], 2, /either urls, or --match/],
    ];
    for (const [args, code, message] of mistakes) {
      const ended = await data(node, args, { folder });
      expect(ended, args.join(" ")).toMatchObject({ code, stdout: "" });
      expect(ended.stderr).toMatch(/^kitchensink: [^\n]+\n$/);
      expect(ended.stderr).toMatch(message);
    }
    const wrong = await data({ ...node, token: "wrong" }, ["ls"]);
    expect(wrong).toMatchObject({
      code: 7,
      stderr: expect.stringMatching(/^kitchensink: The token is wrong/),
    });
    expect(readdirSync(folder).toSorted()).toEqual(["a", "b"]);
  }, 60_000);

  test("a command or an argument that is none has the exit code 2", async () => {
    for (const args of [
      ["data", "frob"],
      ["data", "put", "a"],
      ["data", "ls", "--frob"],
    ])
      expect(await runCommand(args)).toMatchObject({ code: 2, stdout: "" });
  });
});

test("rm deletes what a pattern matches only after it was shown", async () => {
  const node = await startNodeProcess();
  const folder = folderWith({ a: "1" });
  for (const url of ["x/a", "x/b", "y/a"]) await data(node, ["put", "a", url], { folder });
  const literal = await data(node, ["rm", "x/*"]);
  expect(literal).toMatchObject({ code: 5, stdout: "" });
  expect(literal.stderr).toContain("patterns are not expanded here (kitchensink data rm --match 'x/*'");
  const shown = await data(node, ["rm", "--match", "x/*"]);
  expect(shown).toMatchObject({ code: 2, stderr: expect.stringContaining("Nothing was deleted: add --yes") });
  expect(shown.stdout).toMatch(/x\/a\n.*x\/b\n$/);
  const both = await data(node, ["rm", "y/none", "y/a"]);
  expect(both).toMatchObject({ code: 5, stdout: expect.stringMatching(/^y\/a: deleted on/) });
  expect(await data(node, ["rm", "--match", "x/*", "--yes"])).toMatchObject({ code: 0 });
  expect((await data(node, ["ls", "--json"])).stdout).toBe("");
});

test("adopt tells of each file, and fails when one was refused", async () => {
  const node = await startNodeProcess();
  const root = join(node.directory, "data");
  mkdirSync(join(root, "logs"));
  writeFileSync(join(root, "logs", "a"), "a,b\n");
  expect(await data(node, ["adopt", "logs/*"])).toEqual({
    code: 0,
    stdout: "adopted  logs/a  4 B\n",
    stderr: "1 adopted, 0 refused\n",
  });
  symlinkSync("a", join(root, "logs", "b\u001b[31m"));
  const refused = await data(node, ["adopt", "logs/*"]);
  expect(refused).toMatchObject({ code: 1, stderr: "0 adopted, 1 refused\n" });
  expect(refused.stdout).toBe("refused  logs/b\\u{1b}[31m: it is a symbolic link\n");
  expect((await data(node, ["adopt", "none/*"])).stderr).toMatch(/^Nothing to adopt/);
});

test("a list of thousands comes in pages", async () => {
  const node = await startNodeProcess();
  const root = join(node.directory, "data");
  for (let at = 1_000; at < 2_050; at += 1) writeFileSync(join(root, `f${at}`), "");
  expect(await data(node, ["adopt", "f*"])).toMatchObject({ code: 0 });
  const { stdout } = await data(node, ["ls", "f*"]);
  const urls = stdout
    .split("\n")
    .slice(1, -1)
    .map((line) => line.split(" ").at(-1));
  expect(urls).toHaveLength(1_050);
  expect(urls).toEqual(urls.toSorted());
  // The first page is printed while the second one is still to come.
  const slow = await stallingAt(node, { answers: 1 });
  const { child, ended, stdout: said } = startData(slow, ["ls", "f*"]);
  await slow.stalled;
  await expect.poll(() => said().split("\n").length).toBe(1_002);
  child.kill("SIGINT");
  expect(await ended).toMatchObject({ code: 130 });
}, 60_000);

describe("Ctrl-C", () => {
  const MIB = 1024 * 1024;

  test("in the middle of a get leaves no part, and what was there before", async () => {
    const node = await startNodeProcess();
    const folder = folderWith({ big: randomBytes(8 * MIB), copy: "before" });
    await data(node, ["put", "big", "big"], { folder });
    const slow = await stallingAt(node, { bytes: 2 * MIB });
    const { child, ended } = startData(slow, ["get", "--force", "big", "copy"], { folder });
    await slow.stalled;
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toHaveLength(1);
    child.kill("SIGINT");
    expect(await ended).toEqual({ code: 130, stdout: "", stderr: "" });
    expect(readdirSync(folder).toSorted()).toEqual(["big", "copy"]);
    expect(readFileSync(join(folder, "copy"), "utf8")).toBe("before");
  });

  test("in the middle of a put saves nothing", async () => {
    const node = await startNodeProcess();
    const folder = folderWith({ big: randomBytes(8 * MIB) });
    const slow = await stallingAt(node, { bytes: 2 * MIB });
    const { child, ended } = startData(slow, ["put", "big", "big"], { folder });
    await slow.stalled;
    child.kill("SIGINT");
    expect(await ended).toEqual({ code: 130, stdout: "", stderr: "" });
    expect((await data(node, ["ls", "--json"])).stdout).toBe("");
  });

  test("while stdin is read leaves nothing of it", async () => {
    const node = await startNodeProcess();
    const folder = temporaryDirectory();
    const { child, ended } = startData(node, ["put", "-", "x"], { stdin: null, env: { TMPDIR: folder } });
    child.stdin?.write("the beginning");
    await expect.poll(() => readdirSync(folder)).toHaveLength(1);
    child.kill("SIGINT");
    expect(await ended).toEqual({ code: 130, stdout: "", stderr: "" });
    expect(readdirSync(folder)).toEqual([]);
  });
});

test.skipIf(!hasTerminal())(
  "a terminal shows a bar and then the result (needs script of util-linux)",
  async () => {
    const node = await startNodeProcess();
    // More than all buffers on the way hold.
    const folder = folderWith({ big: randomBytes(64_000_000) });
    const slow = await stallingAt(node, { bytes: 2_000_000 });
    const { ended, stdout } = startData(slow, ["put", "big", "big"], { folder, isTerminal: true });
    await slow.stalled;
    await expect.poll(stdout).toMatch(/sending big {2}\[=+ +\] +\d+% {2}[\d.]+ MB of 64 MB/);
    slow.release();
    const { code, stdout: all } = await ended;
    expect(code).toBe(0);
    // The bar is cleared, and the cursor is there again.
    expect(all).toContain("\r\u001b[2K\u001b[?25h");
    expect(all.split("\u001b[?25h").at(-1)).toMatch(/^big {2}64 MB {2}[0-9a-f]{64}\r\n$/);
  },
);

describe("in a cluster", () => {
  const redis = useStore("redis");

  test("pipeline copies to all nodes or to some, and fails when one cannot", async () => {
    const cluster = await startCluster({ ...redis(), nodes: 3, node: (at) => ({ readOnly: at === 2 }) });
    onTestFinished(() => cluster.close());
    const at = { url: cluster.urls[0] ?? "", token: cluster.token };
    const folder = folderWith({ "rows.csv": "a,b\n" });
    await data(at, ["put", "rows.csv", "x"], { folder });
    const all = await data(at, ["pipeline", "x"]);
    expect(all.code).toBe(0);
    expect(all.stdout).toMatch(/^NODE +STATUS.*\nnode1 +had it\nnode2 +copied +4 B +[\d.]+ m?s\n$/);
    const refused = await data(at, ["pipeline", "x", "--nodes", "node2,node3"]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/node2 +had it\nnode3 +failed +\S+/);
    expect(refused.stderr).toBe("x is not on node3\n");
    const short = await data(at, ["pipeline", "x", "--copies", "5", "--json"]);
    expect(short).toMatchObject({ code: 1, stderr: "x: 2 of 5 copies: no other node takes data\n" });
    expect(rowsIn(short)).toMatchObject([{ shortfall: { wanted: 5, reached: 2 }, failed: [] }]);
    expect(await data(at, ["pipeline", "x", "--copies", "2"])).toMatchObject({ code: 0, stderr: "" });
    expect((await data(at, ["ls"])).stdout).toContain("2: node1, node2");
    expect((await data(at, ["rm", "x", "--node", "node1"])).stdout).toBe("x: deleted on node1\n");
    await data(at, ["put", "rows.csv", "y", "--node", "node2"], { folder });
    const [y] = rowsIn(await data(at, ["info", "--json", "y"]));
    expect(y).toMatchObject({ replicas: [{ node: "node2" }] });
    const got = await data(at, ["get", "y", "-"]);
    expect(got.stdout).toBe("a,b\n");
  }, 30_000);
});

describe("help", () => {
  const COMMANDS = ["ls", "put", "get", "info", "rm", "adopt", "pipeline"];

  test("of each command has an example", async () => {
    const { stdout } = await runCommand(["data", "--help"]);
    expect([...stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name)).toEqual(COMMANDS);
    for (const name of COMMANDS)
      expect((await runCommand(["data", name, "--help"])).stdout).toMatch(
        new RegExp(`\nExample:\n  kitchensink data ${name} `),
      );
  });

  test("and docs/operations.md tell of the same commands and flags", async () => {
    const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
    const section = page.slice(page.indexOf("\n## Commands\n"));
    for (const name of COMMANDS) {
      const { stdout } = await runCommand(["data", name, "--help"]);
      const flags = [...stdout.matchAll(/^ {2}(--[a-z]+)/gm)].map(([, flag = ""]) => flag);
      const row = new RegExp(`^\\| \`${name}\\b.*`, "m").exec(section)?.[0] ?? "";
      const own = flags.filter((flag) => !["--url", "--json"].includes(flag));
      expect([...row.matchAll(/--[a-z]+/g)].map(([flag]) => flag).toSorted()).toEqual(
        expect.arrayContaining(own.toSorted()),
      );
    }
  });
});
