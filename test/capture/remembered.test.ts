import { expect, test } from "vitest";
import { capture, captureParts } from "../../src/capture/capture.ts";
import { revive } from "../../src/capture/revive.ts";

declare global {
  var rememberedTestGlobal: number | undefined;
}

/** Captures twice, so that the second one may be remembered, then once more after the change. */
function afterChange<F extends object>(fn: F, change: () => void): F {
  captureParts(fn);
  captureParts(fn);
  change();
  return revive(capture(fn)) as F;
}

test("a function that takes nothing from around it is captured once, and then remembered", () => {
  const fn = (a: number, b: number): number => a + b;
  expect(captureParts(fn)).toBe(captureParts(fn));
  expect((revive(capture(fn)) as typeof fn)(1, 2)).toBe(3);
});

test("a function with captured variables is read anew each time", () => {
  let factor = 2;
  const fn = (n: number): number => n * factor;
  captureParts(fn);
  factor = 3;
  expect((revive(capture(fn)) as typeof fn)(1)).toBe(3);
});

test("a property that was put on a remembered function travels", () => {
  const fn = Object.assign(() => 1, {});
  expect(afterChange(fn, () => Object.assign(fn, { unit: "m" }))).toHaveProperty("unit", "m");
});

test("a changed name, prototype or prototype object of a remembered function travels", () => {
  const named = (): number => 1;
  expect(afterChange(named, () => Object.defineProperty(named, "name", { value: "other" })).name).toBe(
    "other",
  );
  function Old(this: { x: number }): void {
    this.x = 1;
  }
  const Changed = afterChange(Old, () => Object.assign(Old.prototype as object, { twice: () => 2 }));
  expect((Changed.prototype as { twice(): number }).twice()).toBe(2);
  const frozen = (): number => 1;
  expect(Object.isFrozen(afterChange(frozen, () => Object.freeze(frozen)))).toBe(true);
});

test("a global of the user's that came after the first capture travels", () => {
  const fn = (): string => typeof rememberedTestGlobal;
  expect(afterChange(fn, () => (globalThis.rememberedTestGlobal = 1))()).toBe("number");
  Reflect.deleteProperty(globalThis, "rememberedTestGlobal");
});
