import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codecNamed, registerCodec } from "../../src/codec/codec.ts";

const json = codecNamed("json");
const structured = codecNamed("structured");
class Point {
  x = 1;
}

describe("json", () => {
  test("gives back every JSON value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        // JSON has no -0, and reads it back as 0.
        expect(json.decode(json.encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("undefined is no bytes, and no bytes are undefined", () => {
    expect(json.encode(undefined)).toHaveLength(0);
    expect(json.decode(new Uint8Array())).toBe(undefined);
  });

  test("toJSON is honoured, and instances travel as their fields", () => {
    expect(json.decode(json.encode({ at: new Date(0), p: new Point() }))).toEqual({
      at: "1970-01-01T00:00:00.000Z",
      p: { x: 1 },
    });
  });

  test.each([
    ["a function", { f: () => 1 }, "value.f"],
    ["a bigint", [1n], "value[0]"],
    ["NaN", { a: { "b c": Number.NaN } }, 'value.a["b c"]'],
    ["a Map", { m: new Map() }, "value.m"],
    ["bytes", { b: new Uint8Array(1) }, "value.b"],
    ["an error", [new Error("x")], "value[0]"],
    ["undefined in an array", { list: [1, undefined] }, "value.list[1]"],
    ["a hole in an array", Array(2), "value[0]"],
    ["an invalid date", { at: new Date(Number.NaN) }, "value.at"],
    ["NaN in what toJSON gives", [{ toJSON: () => ({ x: [Number.NaN] }) }], "value[0].x[0]"],
    ["a function that toJSON gives", { a: { toJSON: () => () => 1 } }, "value.a"],
    ["a date that toJSON gives", { a: { toJSON: () => new Date(0) } }, "value.a"],
    ["what toJSON gives as undefined in an array", [{ toJSON: () => undefined }], "value[0]"],
  ])("refuses %s, with the path", (_what, value, path) => {
    expect(() => json.encode(value)).toThrow(`Cannot encode ${path} with the codec "json"`);
  });

  test("an object that is met twice is refused where it cannot travel", () => {
    const shared = { toJSON: (key: string) => (key === "second" ? Number.NaN : 1) };
    expect(() => json.encode([{ first: shared }, { second: shared }])).toThrow(
      "Cannot encode value[1].second",
    );
  });

  test("what toJSON gives is asked for once", () => {
    let count = 0;
    const counting = { toJSON: () => ++count };
    expect(json.decode(json.encode({ counting, none: { toJSON: () => undefined } }))).toEqual({
      counting: 1,
    });
    expect(json.encode({ toJSON: () => undefined })).toHaveLength(0);
  });

  test("a negative zero is zero", () => {
    expect(json.decode(json.encode([-0]))).toEqual([0]);
  });

  test("refuses a cycle", () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(() => json.encode(loop)).toThrow(/Cannot encode value/);
  });

  test("refuses bytes that are no JSON, or no UTF-8", () => {
    expect(() => json.decode(Buffer.from("{"))).toThrow(/Not JSON/);
    expect(() => json.decode(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/Not JSON/);
  });

  test("a __proto__ key is data", () => {
    const value = json.decode(Buffer.from('{"__proto__":{"polluted":true}}')) as object;
    expect(Object.hasOwn(value, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>)["polluted"]).toBe(undefined);
  });
});

describe("structured", () => {
  test("gives back what the structured clone algorithm copies", () => {
    const cycle: { self?: unknown; list: unknown[] } = { list: [] };
    cycle.self = cycle;
    cycle.list.push(cycle.list);
    const value = {
      map: new Map([[{ key: 1 }, new Set([1n, -0, Number.NaN])]]),
      date: new Date(0),
      pattern: /a+/gi,
      bytes: new Uint16Array([1, 2]),
      error: new RangeError("no", { cause: "why" }),
      nothing: undefined,
      holes: Array(2),
      cycle,
    };
    expect(structured.decode(structured.encode(value))).toEqual(value);
  });

  test.each([
    ["a function", { f: () => 1 }, "value.f"],
    ["a symbol", [Symbol("s")], "value[0]"],
    ["an instance of a class", { p: [new Point()] }, "value.p[0]"],
    ["a subclass of Map", { m: new (class Mine extends Map {})() }, "value.m"],
    ["an instance in a Map", new Map([["k", new Point()]]), "value.get(k)"],
    ["an error with more on it", { e: Object.assign(new Error("x"), { code: 1 }) }, "value.e"],
    ["a promise", { later: Promise.resolve() }, "value.later"],
  ])("refuses %s, with the path", (_what, value, path) => {
    expect(() => structured.encode(value)).toThrow(`Cannot encode ${path} with the codec "structured"`);
  });

  test("refuses bytes that are not its own", () => {
    expect(() => structured.decode(Buffer.from("nonsense"))).toThrow(/codec structured/);
  });
});

describe("codecs of one's own", () => {
  const upper = {
    name: "upper",
    encode: (value: unknown) => Buffer.from(String(value).toUpperCase()),
    decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  };

  test("are known by name once they are registered", () => {
    expect(() => codecNamed("upper")).toThrow(/No codec is called "upper".*registerCodec/);
    registerCodec(upper);
    registerCodec(upper);
    expect(codecNamed("upper").decode(codecNamed("upper").encode("abc"))).toBe("ABC");
  });

  test("cannot take a name that is taken, or a strange one", () => {
    expect(() => registerCodec({ ...upper, name: "json" })).toThrow(/second codec as "json"/);
    expect(() => registerCodec({ ...upper, name: "Not OK" })).toThrow(/lower case/);
  });
});
