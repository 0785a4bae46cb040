import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { capture } from "../../src/capture/capture.ts";
// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases as asked } from "./fixtures/sources-asked.mjs";
// @ts-expect-error: plain JavaScript, because node itself must run it
import { cases } from "./fixtures/sources.mjs";
import { NODE_MS, nodeBinary, OWN } from "./support/nodes.ts";
import { type Case, Peer, type Reply, testReturns } from "./support/peers.ts";
import { rewritten } from "./support/rewritten.ts";

const here = (path: string): string => new URL(path, import.meta.url).href;
const CASES = here("./fixtures/sources.mjs");
const table = cases as Readonly<Record<string, Case>>;
const refused = Object.entries(table).filter(([, { refuses }]) => refuses !== undefined);
const travelling = Object.entries(table).filter(([, { refuses }]) => refuses === undefined);
testReturns("modules that go as source", new URL(CASES), Object.fromEntries(travelling));
testReturns("modules that are asked for as source", new URL(here("./fixtures/sources-asked.mjs")), asked);

describe("across processes", () => {
  let sender: Peer;
  let receivers: readonly [Peer, Peer];
  beforeAll(() => {
    sender = new Peer();
    receivers = [new Peer(), new Peer()];
  });
  afterAll(async () => {
    await Promise.all([sender, ...receivers].map((peer) => peer.end()));
  });

  const bytesOf = ({ value, ...failure }: Reply): Uint8Array => {
    if (!(value instanceof Uint8Array)) throw new Error(JSON.stringify(failure));
    return value;
  };
  const captured = async (name: string, file = CASES): Promise<Uint8Array> =>
    bytesOf(await sender.ask({ operation: "capture", file, name }));

  for (const [name, { refuses }] of refused) {
    test(`${name}: refused`, async () => {
      const { code, message } = await sender.ask({ operation: "capture", file: CASES, name });
      expect({ code, message }).toEqual({
        code: "KS_CANNOT_CAPTURE",
        message: expect.stringMatching(refuses ?? /./),
      });
    });
  }

  test("a refusal tells why sending the module instead does not help", async () => {
    const name = "a module that awaits, when it has to go as source";
    const { cause } = await sender.ask({ operation: "capture", file: CASES, name });
    expect(cause).toMatch(/awaits\.mjs cannot travel as source: its top level awaits/);
  });

  test("a module is evaluated once in a process, and its state lasts from one function to the next", async () => {
    const name = "a function of a module that holds a server";
    const bytes = await captured(name);
    const query = async (peer: Peer): Promise<{ token: string; count: number }> =>
      JSON.parse(String((await peer.ask({ operation: "json", bytes })).value)) as {
        token: string;
        count: number;
      };
    const [first, second] = [await query(receivers[0]), await query(receivers[0])];
    const elsewhere = await query(receivers[1]);
    expect(second).toMatchObject({ token: first.token, count: first.count + 1 });
    expect(elsewhere).toMatchObject({ count: 1 });
    expect(elsewhere.token).not.toBe(first.token);
  });

  test("what one process sends on to another stays a reference to the module", async () => {
    const name = "functions, classes, symbols and the namespace come back as the caller's own";
    const request = { file: CASES, name };
    const there = await receivers[0].ask({ ...request, operation: "remote", bytes: await captured(name) });
    const on = await receivers[1].ask({ ...request, operation: "again", bytes: bytesOf(there) });
    expect(await sender.ask({ ...request, operation: "back", bytes: bytesOf(on) })).not.toHaveProperty(
      "error",
    );
  });

  test("a closure of a module goes on to another process and home", async () => {
    const name = "a closure that was made there comes back";
    const request = { file: CASES, name };
    const there = await receivers[0].ask({ ...request, operation: "remote", bytes: await captured(name) });
    const on = await receivers[1].ask({ ...request, operation: "again", bytes: bytesOf(there) });
    expect(await sender.ask({ ...request, operation: "back", bytes: bytesOf(on) })).not.toHaveProperty(
      "error",
    );
  });

  test("a module that throws while it is evaluated fails what refers to it, with the reason", async () => {
    const bytes = await captured("what a module cannot be loaded for is the error there");
    const peer = new Peer(process.execPath, ["--import", "data:text/javascript,globalThis.isReceiver=true"]);
    try {
      const { code, message } = await peer.ask({ operation: "throw", bytes });
      expect({ code, message }).toEqual({
        code: "KS_MODULE_FAILED",
        message: expect.stringMatching(
          /^Cannot load the module file:.*broken\.mjs as source: cannot be had here$/,
        ),
      });
    } finally {
      await peer.end();
    }
  });

  test("errors of the module show its own file, line and column", async () => {
    const file = here("./fixtures/source/throws.mjs");
    const bytes = await captured("a function that throws", file);
    const { value: raw } = await receivers[0].ask({ operation: "throw", bytes });
    const { value: mapped } = await sender.ask({ operation: "map", stack: raw });
    const original = await sender.ask({ operation: "original", file, name: "a function that throws" });
    expect(framesOf(mapped, 3)).toEqual(framesOf(original.value, 3));
    expect(framesOf(mapped, 1)).toEqual([`${file}:${placeOf(file, "new RangeError")}`]);
  });

  test("nothing stays behind in the directory for temporary files", async () => {
    const bytes = await captured("a CommonJS module");
    await receivers[1].ask({ operation: "json", bytes });
    expect(readdirSync(tmpdir()).filter((name) => /^kitchensink-[0-9a-f]{24}$/.test(name))).toEqual([]);
  });
});

describe("a module that is TypeScript", () => {
  const file = here("./fixtures/source/typed.ts");
  const register = here("../../dist/register.js");
  test.each([
    { how: "by removing the types", major: 24, flags: [] },
    { how: "by kitchensink/register", major: OWN, flags: ["--import", register] },
  ])("compiled $how on Node $major", { timeout: NODE_MS }, async ({ major, flags }) => {
    const sender = new Peer(await nodeBinary(major), flags);
    const receiver = new Peer();
    try {
      const { value: bytes, error } = await sender.ask({
        operation: "capture",
        file,
        name: "a function that throws",
      });
      expect(error).toBeUndefined();
      const { value: raw } = await receiver.ask({ operation: "throw", bytes });
      const { value: mapped } = await sender.ask({ operation: "map", stack: raw });
      expect(String(raw)).toMatch(/^RangeError: order 200, false/);
      expect(framesOf(mapped, 2)).toEqual([
        `${file}:${placeOf(file, "new RangeError")}`,
        `${file}:${placeOf(file, "accept({")}`,
      ]);
    } finally {
      await Promise.all([sender.end(), receiver.end()]);
    }
  });
});

test("a module is refused as source that imports the program, or of which there are two", () => {
  const program = fileURLToPath(here("./fixtures/source-program.mjs"));
  const told = JSON.parse(execFileSync(process.execPath, [program], { encoding: "utf8" })) as unknown;
  const live = expect.stringMatching(/a live Server of node:net/);
  expect(told).toEqual({
    program: {
      message: live,
      cause: expect.stringMatching(/imports-program\.mjs .* imports the program itself/),
    },
    asked: { message: expect.stringMatching(/imports the program itself, which would run again \(move/) },
    reloaded: {
      message: live,
      cause: expect.stringMatching(/reloaded\.cjs was loaded 2 times in this process/),
    },
  });
});

test("a module that a test runner rewrote is refused as source, and travels by value", () => {
  expect(() => capture(rewritten, { modules: "source" })).toThrow(
    /its file was rewritten by what loaded it, such as a test runner/,
  );
  expect(capture(rewritten)).toBeInstanceOf(Uint8Array);
});

function framesOf(stack: unknown, count: number): string[] {
  const frames = String(stack)
    .split("\n")
    .filter((line) => line.startsWith("    at "));
  return frames.slice(0, count).map((frame) => frame.replace(/^.*\((.*)\)$/, "$1").replace(/^ +at /, ""));
}

function placeOf(file: string, text: string): string {
  const lines = readFileSync(fileURLToPath(file), "utf8").split("\n");
  const line = lines.findIndex((one) => one.includes(text));
  return `${line + 1}:${(lines[line]?.indexOf(text) ?? 0) + 1}`;
}
