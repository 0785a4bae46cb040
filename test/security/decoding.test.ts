/** Bytes that are made of something else than a codec writes, and who decodes them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serialize } from "node:v8";
import { Client, RemoteData } from "kitchensink";
import { Packr } from "msgpackr/pack";
import { describe, expect, test } from "vitest";
import { capture } from "../../src/capture/capture.ts";
import { revive } from "../../src/capture/revive.ts";
import { jsonCodec } from "../../src/codec/json.ts";
import { Fields, pack } from "../../src/codec/pack.ts";
import { structuredCodec } from "../../src/codec/structured.ts";
import { startNodeProcess } from "../support/cli.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { authorized, JSON_TYPE, send } from "./support/attacker.ts";

const codecs = {
  json: jsonCodec,
  structured: structuredCodec,
  closure: { encode: (value: unknown) => capture(value), decode: (bytes: Uint8Array) => revive(bytes) },
} as const;
const NAMES = Object.keys(codecs) as (keyof typeof codecs)[];
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

describe.each(NAMES)("the codec %s", (name) => {
  const codec = codecs[name];

  test(`attack 11: ${name}: keys that every object has are data, and change no prototype`, () => {
    const text =
      '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},"a":[{"__proto__":null}]}';
    const value = codec.decode(codec.encode(JSON.parse(text))) as Record<string, unknown>;
    expect(JSON.stringify(value)).toBe(text);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value["isAdmin"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["isAdmin"]).toBeUndefined();
  });

  test(`attack 11: ${name}: what looks like a promise is data when it is awaited`, async () => {
    const value = JSON.parse('{"then":"called","catch":1}') as Record<string, unknown>;
    expect(await codec.decode(codec.encode(value))).toEqual(value);
    expect(await Promise.resolve(codec.decode(codec.encode([value])))).toEqual([value]);
  });
});

test("attack 11: JSON and structured data hold no function, so nothing in them can be called", () => {
  for (const name of ["json", "structured"] as const)
    for (const value of [
      () => 1,
      Object.assign(JSON.parse('{"then":0}') as object, { call: () => 1 }),
      {
        toJSON: undefined,
        run: class A {
          readonly a = 1;
        },
      },
      Symbol("x"),
    ])
      expect(() => codecs[name].encode(value)).toThrow(expect.objectContaining({ code: "KS_CANNOT_ENCODE" }));
});

describe("bytes that no codec writes", () => {
  const packr = new Packr({ useRecords: false, moreTypes: true, structuredClone: true });
  const extensions: readonly (readonly [string, Uint8Array])[] = [
    ["a record", new Packr({ useRecords: true }).pack([{ a: 1 }, { a: 2 }])],
    ["a record that is defined by hand", bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01)],
    ["an error", packr.pack(new TypeError("x"))],
    [
      "an error of a class that is named",
      bytes(0xd4, 0x65, 0x00, 0x92, 0xa8, ...Buffer.from("Function"), 0xa1, 0x61),
    ],
    ["a pattern", packr.pack(/(a+)+$/)],
    ["a set", packr.pack(new Set([1]))],
    ["a date", packr.pack(new Date())],
    ["a large integer", bytes(0xc7, 0x08, 0x42, 1, 2, 3, 4, 5, 6, 7, 8)],
    ["typed numbers", packr.pack(new Float64Array(2))],
    ["a cycle", bytes(0xd6, 0x69, 0, 0, 0, 1, 0x91, 0xd6, 0x70, 0, 0, 0, 1)],
    ["texts in a bundle", bytes(0xd6, 0x62, 0, 0, 0, 1, 0xc0)],
    ["the byte that is never used", bytes(0xc1)],
    ["an unknown extension", bytes(0xd4, 0x55, 0x00)],
    ["a map with keys that are lists", bytes(0x81, 0x90, 0x01)],
  ];

  test.each(extensions)("attack 11: %s in msgpack is refused, in messages and in graphs", (_, packed) => {
    for (const message of [
      packed,
      Buffer.concat([bytes(0x92), packed, bytes(0)]),
      pack([1, 2]).fill(packed[0] ?? 0, 1, 2),
    ])
      expect(() => Fields.unpack(message, "thing", 1)).toThrow(
        expect.objectContaining({ code: "KS_BAD_REQUEST" }),
      );
    for (const graph of [packed, Buffer.concat([bytes(0x91), packed])])
      expect(() => revive(Buffer.concat([bytes(1), graph]))).toThrow(
        expect.objectContaining({ code: "KS_CANNOT_DECODE" }),
      );
  });

  test.each([
    ["json", Buffer.from("{")],
    ["json", Buffer.from('{"a":1}x')],
    ["json", bytes(0x22, 0xff, 0x22)],
    ["json", Buffer.from("NaN")],
    ["structured", bytes()],
    ["structured", bytes(0)],
    ["structured", bytes(0xff, 0x0f, 0x3f)],
    ["structured", bytes(0xff, 0x63, 0x6f)],
    ["structured", serialize({ a: [1, 2, 3] }).subarray(0, 8)],
    ["structured", bytes(0xff, 0x0f, 0x22, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ["closure", bytes()],
    ["closure", bytes(0)],
    ["closure", bytes(6, 0)],
    ["closure", bytes(255)],
    ["closure", bytes(1)],
    ["closure", bytes(2, 0xff, 0x0f, 0x3f)],
    ["closure", bytes(3, 0xff, 0x0f, 0x30)],
    ["closure", Buffer.concat([bytes(3), serialize([[0], [], [], [null]])])],
    ["closure", Buffer.concat([bytes(3), serialize([[0], [], [], [["no such kind"]]])])],
    ["closure", Buffer.concat([bytes(3), serialize([[7], [], [], []])])],
    ["closure", Buffer.from(`\x04${"A".repeat(43)}`)],
    ["closure", bytes(4, 1)],
    ["closure", bytes(5, 0xff, 0xff, 0xff, 0xff)],
  ] as const)("attack 11: the codec %s refuses %j clearly", (name, damaged) => {
    expect(() => codecs[name].decode(damaged)).toThrow(expect.objectContaining({ code: "KS_CANNOT_DECODE" }));
  });
});

test(
  "attack 11: a node never decodes what users encoded: it passes bytes on",
  { timeout: 60_000 },
  async () => {
    const file = join(temporaryDirectory(), "watched");
    const mark = "a-mark-of-the-users-own";
    const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
    const node = await startNodeProcess(["--embedded", "--module", fixture("functions.mjs")], {
      NODE_OPTIONS: `--import ${fixture("watching.mjs")}`,
      WATCH_FILE: file,
      WATCH_MARK: mark,
    });
    const client = new Client(node.url, { token: node.token, output: "off" });
    const value = { [mark]: [mark, new Map([[mark, mark]])], plain: mark };
    const registered = client.with({ rpcName: "test" });
    for (const isQueued of [true, false]) {
      for (const codec of ["closure", "structured"] as const)
        expect(await registered.with({ codec, async: isQueued }).call("echo", value)).toEqual(value);
      expect(await registered.with({ codec: "json", async: isQueued }).call("echo", { mark })).toEqual({
        mark,
      });
      const calls = client.with({ async: isQueued });
      expect(await calls.call((given: unknown) => [given, mark], value)).toEqual([value, mark]);
      const streamed: unknown[] = [];
      for await (const item of await calls.call(function* () {
        yield mark;
        yield value;
      }))
        streamed.push(item);
      expect(streamed).toEqual([mark, value]);
      const thrown = await calls
        .call(() => {
          throw Object.assign(new RangeError("without it"), { mark });
        })
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      expect(thrown).toMatchObject({ message: "without it", mark });
    }
    const saved = await new RemoteData({ obj: value, client }).save({ url: "some/data" });
    expect(await saved.obj()).toEqual(value);
    expect(await client.call(async (data: RemoteData<typeof value>) => (await data.obj()).plain, saved)).toBe(
      mark,
    );
    const byHand = await send(node.url, {
      method: "POST",
      path: "/rpc/test/echo",
      headers: { ...authorized(node), ...JSON_TYPE },
      body: JSON.stringify([{ mark }]),
    });
    expect(byHand.body).toBe(JSON.stringify({ mark }));
    const job = registered.with({ codec: "json" }).call("echo", { mark });
    await job;
    const shown = await send(node.url, { path: `/v1/jobs/${job.id}`, headers: authorized(node) });
    expect(JSON.parse(shown.body)).toMatchObject({ result: { mark } });
    await client.close();
    const lines = readFileSync(file, "utf8").trim().split("\n");
    // One process was watched, the node, with its thread; and it read messages, so the watch sees what there is.
    expect(lines.filter((line) => line === "envelope").length).toBeGreaterThan(20);
    expect(new Set(lines)).toEqual(new Set([`watching ${node.child.pid}`, "envelope"]));
  },
);
