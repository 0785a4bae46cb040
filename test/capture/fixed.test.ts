// oxlint-disable vitest/valid-title -- the names come from the tables of cases
import { Session } from "node:inspector";
import { runInThisContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { capture, captureParts } from "../../src/capture/capture.ts";
import { revive } from "../../src/capture/revive.ts";

/** What each text gives: a function to capture, and something that may change what the function returns. */
interface Subject {
  readonly fn: () => unknown;
  readonly change: () => unknown;
}

/** So often that what never changes is surely no longer read. */
const OFTEN = 260;

let scripts = 0;
function subjectOf(text: string): Subject {
  return runInThisContext(text, { filename: `/test/fixed-${scripts++}.js` }) as Subject;
}

/** Messages to the inspector that one more capture takes. */
function messagesFor(fn: object): number {
  for (let done = 0; done < OFTEN; done++) captureParts(fn);
  const post = vi.spyOn(Session.prototype, "post");
  try {
    captureParts(fn);
    return post.mock.calls.filter(([method]) => (method as string) !== "Runtime.releaseObjectGroup").length;
  } finally {
    post.mockRestore();
  }
}

const within = (body: string): string => `(function (around) { ${body} })({ n: 1 })`;

const FIXED: Readonly<Record<string, string>> = {
  "a constant": `const n = 1; return { fn: () => n, change() {} };`,
  "a constant whose object changes": `const o = { n: 1 }; return { fn: () => o.n, change() { o.n = 2; } };`,
  "a constant that was taken apart": `const { n, ...others } = around; return { fn: () => [n, others], change() {} };`,
  "a variable that nothing assigns to": `let n = 1; return { fn: () => n, change() {} };`,
  "a parameter": `return { fn: () => around, change() { around.n = 2; } };`,
  "a parameter with a default": `return ((n = 3) => ({ fn: () => n, change() {} }))();`,
  "a declared function": `function twice(n) { return n + n; } return { fn: () => twice(2), change() {} };`,
  "a global of the language": `const n = 4; return { fn: () => Math.sqrt(n), change() {} };`,
  "the constant of a loop": `const all = []; for (const n of [1, 2]) all.push({ fn: () => n, change() {} }); return all[1];`,
  "a method": `const n = 1; const o = { fn() { return n; } }; return { fn: o.fn, change() {} };`,
  "an assignment to another variable of its name": `const n = 1; { let n = 2; n = 3; } return { fn: () => n, change() {} };`,
};

test.each(Object.entries(FIXED))("not read again: %s", (_name, body) => {
  const { fn, change } = subjectOf(within(body));
  expect(messagesFor(fn)).toBe(0);
  change();
  expect((revive(capture(fn)) as typeof fn)()).toEqual(fn());
});

const CHANGING: Readonly<Record<string, string>> = {
  "an assigned variable": `let n = 1; return { fn: () => n, change() { n = 2; } };`,
  "a counter": `let n = 1; return { fn: () => n, change() { n++; } };`,
  "a variable with a value given when it had none": `let n = 1; return { fn: () => n, change() { n &&= 2; } };`,
  "a variable assigned by taking apart": `let n = 1; return { fn: () => n, change() { [n] = [2]; } };`,
  "a variable assigned as a rest": `let n = 1; return { fn: () => n, change() { ({ ...n } = { a: 2 }); } };`,
  "a variable assigned by default": `let n = 1; return { fn: () => n, change() { [n = 2] = []; } };`,
  "a variable assigned by a loop": `let n = 1; return { fn: () => n, change() { for (n of [2]); } };`,
  "a variable assigned by a loop over keys": `let n = 1; return { fn: () => n, change() { for ([n] in { x: 0 }); } };`,
  "the variable of a counting loop": `for (let n = 1; ; n++) { return { fn: () => n, change() { n = 2; } }; }`,
  "a var": `var n = 1; return { fn: () => n, change() { for (var n of [2]); } };`,
  "a declared function that is exchanged": `function n() { return 1; } return { fn: () => n(), change() { n = () => 2; } };`,
  "a parameter that is declared once more": `const steps = (function* (n) { yield () => n; var n = 2; yield; })(1); return { fn: steps.next().value, change: () => steps.next() };`,
  "a class that is exchanged": `class N { static n = 1; } return { fn: () => N.n, change() { N = { n: 2 }; } };`,
  "an assigned parameter": `return { fn: () => around.n, change() { around = { n: 2 }; } };`,
  "a parameter assigned by way of arguments": `const set = (all) => { all[0] = { n: 2 }; }; const all = arguments; return { fn: () => around.n, change() { set(all); } };`,
  "a variable that evaluated text may assign to": `let n = 1; return { fn: () => n, change() { eval("n = 2"); } };`,
  "a constant that evaluated text may hide": `const n = 1; return (() => ({ fn: () => n, change: (text) => eval("n, 0") }))();`,
  "a property of with": `with (around) { const m = 1; return { fn: () => m + 0, change() { n = 2; } }; }`,
  "a text that stands there twice": `const n = 1; const other = () => n; { let n = 2; return { fn: () => n, change() { n = 3; } }; }`,
  "one changing variable among constants": `const a = 1, b = 2; let n = 1; return { fn: () => a + b + n, change() { n = 2; } };`,
  "a variable that is still undefined": `let n; return { fn: () => n, change() { n = 2; } };`,
};

test.each(Object.entries(CHANGING))("read anew each time: %s", (_name, body) => {
  const { fn, change } = subjectOf(within(body));
  expect(messagesFor(fn)).toBeGreaterThan(0);
  change();
  expect((revive(capture(fn)) as typeof fn)()).toEqual(fn());
});

test("read anew each time: a global variable, which another script may assign to", () => {
  const { fn } = subjectOf(`let fixedTestGlobal = 1; ({ fn: () => fixedTestGlobal })`);
  expect(messagesFor(fn)).toBeGreaterThan(0);
  runInThisContext("fixedTestGlobal = 2");
  expect((revive(capture(fn)) as typeof fn)()).toBe(2);
});

test("read anew each time: a name that is nobody's, and may become a global's", () => {
  const { fn } = subjectOf(within(`return { fn: () => typeof fixedTestLater };`));
  expect(messagesFor(fn)).toBeGreaterThan(0);
  runInThisContext("var fixedTestLater = 2");
  expect((revive(capture(fn)) as typeof fn)()).toBe("number");
  Reflect.deleteProperty(globalThis, "fixedTestLater");
});

test("read anew each time: an import, which its module may assign to", async () => {
  const url = new URL("./fixtures/fixed.mjs", import.meta.url).href;
  const { readCount, raiseCount } = (await import(url)) as {
    readCount: () => number;
    raiseCount: () => void;
  };
  expect(messagesFor(readCount)).toBeGreaterThan(0);
  const before = (revive(capture(readCount)) as typeof readCount)();
  raiseCount();
  expect((revive(capture(readCount)) as typeof readCount)()).toBe(before + 1);
});

test("functions that share a variable still share it beside a constant of the same name", () => {
  const { fn, change } = subjectOf(
    within(`const n = 5; const read = () => (n); let both;
      { let n = 1; both = { add: () => ++n, get: () => n }; }
      return { fn: () => read(), change: () => both };`),
  );
  expect(messagesFor(fn)).toBe(0);
  const { add, get } = change() as { add(): number; get(): number };
  const there = revive(capture({ fn, add, get })) as { fn(): number; add(): number; get(): number };
  there.add();
  expect([there.fn(), there.get(), get()]).toEqual([5, 2, 1]);
});

test("a constant that had no value yet when it was read is read again", () => {
  const make = runInThisContext("(function* (given) { yield () => n; const n = given; yield; })") as (
    given: unknown,
  ) => Generator<() => unknown>;
  const [first, second] = [make(undefined), make(5)];
  const [early, late] = [first.next().value, second.next().value] as (() => unknown)[];
  first.next();
  capture(early);
  // Older versions cannot tell such a variable from one that is undefined; newer ones refuse.
  for (let done = 0; done < OFTEN; done++) {
    try {
      capture(late);
    } catch (error) {
      expect(error).toMatchObject({ code: "KS_CANNOT_CAPTURE" });
    }
  }
  second.next();
  expect((revive(capture(late)) as () => unknown)()).toBe(5);
});

test("a script that is long for how often a function is captured is not read", () => {
  const filler = `/*${"x".repeat(OFTEN * 1_000)}*/`;
  const { fn } = subjectOf(within(`const n = 1; return { fn: () => n }; ${filler}`));
  expect(messagesFor(fn)).toBeGreaterThan(0);
});
