// oxlint-disable vitest/valid-title -- the names come from the tables of cases
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CACHE, MAJORS, NODE_MS, nodeBinary, OWN } from "./support/nodes.ts";
import { type Case, Peer, type Reply } from "./support/peers.ts";

interface Table {
  readonly area: string;
  readonly file: string;
  readonly cases: readonly (readonly [name: string, Case])[];
}

interface Exception {
  readonly area: string;
  readonly name: string;
  readonly between: (from: number, to: number) => boolean;
  /** What the case fails with there. */
  readonly says: RegExp;
  readonly reason: string;
}

/** What cannot hold between some versions, and why. Each is tested to fail there as it says. */
const EXCEPTIONS: readonly Exception[] = [
  {
    area: "versions",
    name: "a builtin function that is new",
    between: (from, to) => from >= 24 && to < 24,
    says: /Cannot revive a value: \["Math","\.f16round"\] does not exist in this version of Node/,
    reason: "Node 24 brought Math.f16round",
  },
  {
    area: "versions",
    name: "a builtin module that is new",
    between: (from, to) => from >= 22 && to < 22,
    says: /Cannot revive a value: Node 20\.\S+, which runs here, has no module node:sqlite/,
    reason: "Node 22 brought node:sqlite",
  },
  {
    area: "versions",
    name: "a function with syntax that is new",
    between: (from, to) => from >= 24 && to < 24,
    says: /Invalid regular expression: \/\(\?i:a\)\/: Invalid group/,
    reason: "Node 23 brought modifiers within regular expressions",
  },
];

const tables = await readTables([
  ...filesWithCases(new URL("./fixtures/", import.meta.url)),
  new URL("./support/versions.mjs", import.meta.url),
]);
/** From another version to the same: the other tests of this folder, which run on each version. */
const pairs = MAJORS.flatMap((from) =>
  MAJORS.filter((to) => to !== from || from === OWN).map((to) => ({ from, to })),
);

/** One process of each version captures, another one revives. */
const peers = new Map<number, { readonly sender: Peer; readonly receiver: Peer }>();
beforeAll(async () => {
  for (const major of MAJORS) {
    const binary = await nodeBinary(major);
    peers.set(major, { sender: new Peer(binary), receiver: new Peer(binary) });
  }
}, MAJORS.length * NODE_MS);
afterAll(async () => {
  await Promise.all([...peers.values()].flatMap(({ sender, receiver }) => [sender.end(), receiver.end()]));
});

/** A busy machine takes long for many captures, most of all where variables have to be told apart. */
const TABLE_MS = 20_000;
const CASE_MS = 5_000;

const captures = new Map<string, Reply>();

const senderOn = (major: number): Peer => peerOn(major).sender;
const receiverOn = (major: number): Peer => peerOn(major).receiver;
function peerOn(major: number): { sender: Peer; receiver: Peer } {
  const both = peers.get(major);
  if (both === undefined) throw new Error(`no process of Node ${major} was started`);
  return both;
}

describe.each(pairs)("captured on Node $from, revived on Node $to", ({ from, to }) => {
  const exceptions = EXCEPTIONS.filter(({ between }) => between(from, to));
  for (const { area, file, cases } of tables) {
    const travelling = cases.filter(([, { refuses }]) => refuses === undefined);
    if (travelling.length === 0) continue;
    const limitMs = TABLE_MS + travelling.length * CASE_MS;
    test(area, { timeout: limitMs }, async () => {
      const failed: Record<string, string> = {};
      for (const [name, one] of travelling) {
        if (exceptions.some((exception) => exception.area === area && exception.name === name)) continue;
        const error = await failure(from, to, { file, name }, one);
        if (error !== undefined) failed[name] = error;
      }
      expect(failed).toEqual({});
    });
  }
  for (const { area, name, says, reason } of exceptions) {
    test(`${area}, but not "${name}": ${reason}`, async () => {
      const table = tables.find((one) => one.area === area);
      const one = table?.cases.find(([known]) => known === name)?.[1];
      if (table === undefined || one === undefined) throw new Error("there is no such case");
      const error = await failure(from, to, { file: table.file, name }, one);
      expect(error ?? "it holds there").toMatch(says);
    });
  }
});

describe.each(MAJORS)("refused on Node %s", (major) => {
  for (const { area, file, cases } of tables) {
    const refused = cases.filter(([, { refuses }]) => refuses !== undefined);
    if (refused.length === 0) continue;
    test(area, async () => {
      const wrong: Record<string, unknown> = {};
      for (const [name, { refuses }] of refused) {
        const { code, message } = await senderOn(major).ask({ operation: "capture", file, name });
        const holds = code === "KS_CANNOT_CAPTURE" && refuses?.test(message ?? "") === true;
        if (!holds) wrong[name] = { code, message, refuses };
      }
      expect(wrong).toEqual({});
    });
  }
});

describe.each(MAJORS)("captures on Node %s", (major) => {
  test("load no builtin module, and warn of none", async () => {
    const program = `
      import { capture } from "./dist/capture/capture.js";
      import { basename } from "node:path";
      capture(() => basename);
      const loaded = process.moduleLoadList.filter((name) => /^NativeModule (sqlite|test|sea)/.test(name));
      console.log(JSON.stringify(loaded));`;
    const { stdout, stderr } = await promisify(execFile)(await nodeBinary(major), [
      "--input-type=module",
      "-e",
      program,
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: "[]\n", stderr: "" });
  });
});

describe("an error of a function that was written in TypeScript shows its line there", () => {
  const source = fileURLToPath(new URL("./support/typed.ts", import.meta.url));
  const places = ["new RangeError", "accept({"].map((text) => `${pathToFileURL(source)}:${placeOf(text)}`);

  test(`run by Node 24 as it is, revived on Node ${OWN}`, async () => {
    const { mapped } = await thrown(24, source);
    expect(framesOf(mapped)).toEqual(places);
  });

  test(`compiled by tsc and run by Node 22, revived on Node ${OWN}`, async () => {
    const compiled = await compile(source);
    const { raw, mapped } = await thrown(22, compiled);
    expect(framesOf(raw)[0]).toMatch(/typed\.js:\d+:\d+$/);
    expect(framesOf(mapped)).toEqual(places);
  });

  function placeOf(text: string): string {
    const lines = readFileSync(source, "utf8").split("\n");
    const line = lines.findIndex((one) => one.includes(text));
    return `${line + 1}:${(lines[line]?.indexOf(text) ?? 0) + 1}`;
  }
});

/** The stack of what the fixture's function throws on this version, as it is there and for the one who sent it. */
async function thrown(from: number, file: string): Promise<{ raw: string; mapped: string }> {
  const sender = senderOn(from);
  const request = { file: pathToFileURL(file).href, name: "a function that throws" };
  const { value: bytes, error: whileCapturing } = await sender.ask({ ...request, operation: "capture" });
  expect({ whileCapturing }).toEqual({});
  const { value: raw } = await receiverOn(OWN).ask({ operation: "throw", bytes });
  const { value: mapped } = await sender.ask({ operation: "map", stack: raw });
  return { raw: String(raw), mapped: String(mapped) };
}

/** Where the first two frames of a stack are. */
function framesOf(stack: string): string[] {
  const frames = stack.split("\n").filter((line) => line.startsWith("    at "));
  return frames.slice(0, 2).map((frame) => frame.replace(/^.*\((.*)\)$/, "$1").replace(/^ +at /, ""));
}

/** Compiles a file to JavaScript with a source map beside it, in a directory that goes when the test ends. */
async function compile(source: string): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const directory = mkdtempSync(join(CACHE, "compiled-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module" }));
  const options = ["--ignoreConfig", "--module", "nodenext", "--target", "es2023", "--types", "node"];
  const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  await promisify(execFile)(process.execPath, [
    tsc,
    source,
    ...options,
    "--sourceMap",
    "--outDir",
    directory,
  ]);
  return join(directory, "typed.js");
}

interface Request {
  readonly file: string;
  readonly name: string;
}

/** Why a case does not hold between two versions; undefined when it does. */
async function failure(from: number, to: number, request: Request, one: Case): Promise<string | undefined> {
  const { value: bytes, error: whileCapturing } = await captured(from, request);
  if (whileCapturing !== undefined) return whileCapturing;
  const operation = one.back === undefined ? "check" : "remote";
  const there = await receiverOn(to).ask({ ...request, operation, bytes });
  if (one.back === undefined || there.error !== undefined) return there.error;
  const back = await senderOn(from).ask({ ...request, operation: "back", bytes: there.value });
  return back.error;
}

/** What a version makes of a case, once for all versions that it travels to. */
async function captured(from: number, request: Request): Promise<Reply> {
  const key = `${from} ${request.file} ${request.name}`;
  const reply = captures.get(key) ?? (await senderOn(from).ask({ ...request, operation: "capture" }));
  captures.set(key, reply);
  return reply;
}

/** The fixtures that are tables of cases; others are programs. */
function filesWithCases(directory: URL): URL[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => new URL(name, directory))
    .filter((file) => /^export(?: const |s\.)cases\b/m.test(readFileSync(file, "utf8")));
}

async function readTables(files: readonly URL[]): Promise<Table[]> {
  return await Promise.all(
    files.map(async ({ href }) => {
      const { cases } = (await import(href)) as { cases: Readonly<Record<string, Case>> };
      return { area: basename(href, extname(href)), file: href, cases: Object.entries(cases) };
    }),
  );
}
