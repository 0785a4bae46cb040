import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { captureParts } from "../../src/capture/capture.ts";
import { revive, reviveParts } from "../../src/capture/revive.ts";
import { capture } from "../../src/capture/capture.ts";

const noCode = (hash: string): Uint8Array => {
  throw new Error(`asked for ${hash}`);
};
const again = (value: unknown): unknown => reviveParts(captureParts(value).graph, noCode);

describe("data", () => {
  test("random data survives exactly", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      withBoxedValues: true,
      withUnicodeString: true,
      maxDepth: 4,
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(again(value)).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("numbers keep every bit", () => {
    fc.assert(fc.property(fc.double(), (value) => Object.is(again(value), value)));
    for (const value of [2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 2 ** 63, 2 ** 64, 5e-324])
      expect(again([value])).toEqual([value]);
  });

  test("small plain data takes the cheap format, and what it would change does not", () => {
    expect(captureParts([1, 2, { a: "x" }]).graph[0]).toBe(1);
    for (const value of [-0, 1n, "\ud800", Array(2), { ["__proto__"]: 1 }])
      expect(captureParts(value).graph[0]).toBe(2);
    const shared = {};
    const [a, b] = again([shared, shared]) as object[];
    expect(a).toBe(b);
  });

  test("a getter is not run and not flattened", () => {
    let ran = 0;
    const value = Object.defineProperty({}, "a", { get: () => ++ran, enumerable: true, configurable: true });
    expect(captureParts(value).graph[0]).toBe(3);
    expect(ran).toBe(0);
  });

  test("bytes that capture did not write are refused and harm nothing", () => {
    for (const tag of [0, 1, 2, 3, 4, 5, 9]) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
          try {
            revive(Uint8Array.of(tag, ...bytes));
          } catch (error) {
            expect((error as { code?: string }).code).toBe("KS_CANNOT_DECODE");
          }
        }),
      );
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("a cheap format never makes more than data", () => {
    // An extension that decoders read as an error of a class of the sender's choice.
    const hostile = [1, 0xc7, 0x0b, 0x65, 0x92, 0xa8, ...Buffer.from("Function")];
    expect(() => revive(Uint8Array.from(hostile))).toThrow(/Cannot revive a value/);
    const proto = Buffer.concat([
      Buffer.from([1, 0x81, 0xa9]),
      Buffer.from("__proto__"),
      Buffer.from([0x81, 0xa1, 0x61, 1]),
    ]);
    revive(proto);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });

  test("every cut and every flipped byte of a graph with a function gives a value or a clear error", () => {
    const n = 3;
    const bytes = capture({ f: () => n, list: [1, new Date(0)] });
    for (let at = 1; at < bytes.length; at++) {
      for (const damaged of [
        bytes.slice(0, at),
        bytes.map((byte, index) => (index === at ? byte ^ 0x55 : byte)),
      ]) {
        try {
          revive(damaged);
        } catch (error) {
          expect((error as { code?: string }).code).toBe("KS_CANNOT_DECODE");
        }
      }
    }
  });
});
