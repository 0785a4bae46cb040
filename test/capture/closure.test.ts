import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { capture, captureParts } from "../../src/capture/capture.ts";
import { closure } from "../../src/capture/closure.ts";
import { shareByName } from "../../src/capture/resolve/shared.ts";
import { KitchenError } from "../../src/core/errors.ts";
import { revive, reviveParts } from "../../src/capture/revive.ts";

test("captures named by hand are used in place of those around the function", () => {
  let rows = [1, 2, 3];
  const values = { rows };
  const count = closure(() => rows.length, values);
  rows = [];
  expect((revive(capture(count)) as () => number)()).toBe(3);
  values.rows = [1];
  expect((revive(capture(count)) as () => number)()).toBe(1);
});

test("a name that closure() was not given is refused, and so is what it cannot bring along", () => {
  const [rows, other] = [[1], 2];
  expect(() => capture(closure(() => rows.length + other, { rows }))).toThrow(
    /captured "other": closure\(\) was not given it \(add other to the values\)/,
  );
  const holder = { v: 1, make: (): unknown => null };
  holder.make = function (this: unknown): unknown {
    return closure(() => this, {});
  };
  expect(() => capture(holder.make())).toThrow(/closure\(\) does not bring along this and arguments/);
});

test("neither plain data nor a function without free variables touches the inspector", () => {
  const program = `
    import { captureParts } from "./dist/capture/capture.js";
    const parserBefore = Object.keys(process.getBuiltinModule("module")._cache).length;
    captureParts([1, 2]);
    const parserAfter = Object.keys(process.getBuiltinModule("module")._cache).length;
    const { Session } = process.getBuiltinModule("node:inspector");
    let sessions = 0;
    Session.prototype.connect = () => { sessions++; throw new Error("touched"); };
    captureParts((a, b) => a + b);
    captureParts(function add(a, b) { return a + b; });
    captureParts(async function* (items) { for await (const item of items) yield item; });
    captureParts({ twice(n) { return n + n; } }.twice);
    console.log(JSON.stringify({ loaded: parserAfter - parserBefore, sessions }));
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual({ loaded: 0, sessions: 0 });
});

test("code travels by hash: the same function at another value is the same unit", () => {
  const make = (n: number) => () => n;
  const [one, two] = [captureParts(make(1)), captureParts(make(2))];
  expect(one.units.map(({ hash }) => hash)).toEqual(two.units.map(({ hash }) => hash));
  expect(one.units[0]?.hash).toMatch(/^[\w-]{43}$/);
  let asked = 0;
  const bytes = one.units[0]?.bytes as Uint8Array;
  const unitBytes = (): Uint8Array => (asked++, bytes);
  expect((reviveParts(one.graph, unitBytes) as () => number)()).toBe(1);
  expect((reviveParts(two.graph, unitBytes) as () => number)()).toBe(2);
  expect(asked).toBe(1);
});

test("state that a function keeps does not leak into another revival", () => {
  let n = 0;
  const bytes = capture(() => ++n);
  const [a, b] = [revive(bytes) as () => number, revive(bytes) as () => number];
  expect([a(), a(), b(), n]).toEqual([1, 2, 1, 0]);
  const memo = Object.assign(() => 1, { cache: [] as number[] });
  const memoBytes = capture(memo);
  (revive(memoBytes) as typeof memo).cache.push(1);
  expect((revive(memoBytes) as typeof memo).cache).toEqual([]);
});

test("a refusal begins where the caller says", () => {
  expect(() => capture({ user: Promise.resolve() }, { rootName: "args[0]" })).toThrow(
    /^Cannot capture args\[0\] → \.user: a Promise/,
  );
});

test("code that was tampered with is refused", () => {
  const k = 1;
  const { graph, units } = captureParts(() => k + 41.5);
  const bytes = Uint8Array.from(units[0]?.bytes ?? []);
  bytes[bytes.length - 3] = 0x20;
  expect(() => reviveParts(graph, () => bytes)).toThrow(/is damaged/);
});

test("a function by itself goes as its hash and its values, which keep their identity", () => {
  const shared = { at: new Date(0) };
  const [zero, text] = [-0, "half \ud83d"];
  const { graph, units } = captureParts(() => [shared, shared.at, zero, text, shared]);
  expect(graph[0]).toBe(4);
  const fn = reviveParts(graph, () => units[0]?.bytes as Uint8Array) as () => unknown[];
  expect(fn()).toEqual([shared, shared.at, -0, text, shared]);
  expect(fn()[4]).toBe(fn()[0]);
  expect(fn()[1]).toBe((fn()[0] as typeof shared).at);
});

test("values that do not fit the code of a function are refused", () => {
  const [a, b] = [1, 2];
  const { graph, units } = captureParts(() => a + b);
  const bytesOf = (): Uint8Array => units[0]?.bytes as Uint8Array;
  const head = graph.subarray(0, 44);
  const withTail = (value: unknown): Uint8Array => Buffer.concat([head, capture(value)]);
  expect((reviveParts(withTail([1, 2]), bytesOf) as () => number)()).toBe(3);
  for (const wrong of [[1], [1, 2, 3], { length: 2 }, "ab"])
    expect(() => reviveParts(withTail(wrong), bytesOf)).toThrow(/other variables than its code/);
  for (const damaged of [head, graph.subarray(0, -1), Buffer.concat([graph, graph])])
    expect(() => reviveParts(damaged, bytesOf)).toThrow(
      expect.objectContaining({ code: "KS_CANNOT_DECODE" }),
    );
  expect(() => reviveParts(graph.subarray(0, 20), bytesOf)).toThrow(/is damaged/);
});

test("captures leave nothing behind in memory", () => {
  const program = `
    import { captureParts } from "./dist/capture/capture.js";
    const rows = [1, 2, 3];
    const run = (times) => { for (let i = 0; i < times; i++) { const big = { i, rows }; captureParts(() => big.rows.length); } gc(); gc(); return process.memoryUsage().heapUsed; };
    const before = run(500);
    console.log(run(4000) - before);
  `;
  const output = execFileSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  expect(Number(output)).toBeLessThan(3_000_000);
});

test("what is shared by name goes as a name", () => {
  class Shared extends Error {}
  shareByName("test:Shared", Shared);
  const error = revive(capture(new Shared("x"))) as Shared;
  expect(error).toBeInstanceOf(Shared);
  expect(revive(capture(() => Shared))).toBeTypeOf("function");
  expect((revive(capture(() => Shared)) as () => unknown)()).toBe(Shared);
  expect(revive(capture(new KitchenError("KS_TIMEOUT", "late")))).toBeInstanceOf(KitchenError);
});
