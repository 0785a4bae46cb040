import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { capture, captureParts } from "../../src/capture/capture.ts";
import { closure } from "../../src/capture/closure.ts";
import { shareByName } from "../../src/capture/shared.ts";
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
