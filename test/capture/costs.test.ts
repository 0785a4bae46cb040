import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** Messages to V8 by method that one capture takes, in a process of its own. */
function messages(program: string): Record<string, number> {
  const counting = `
    import { capture } from "./dist/capture/capture.js";
    const { Session } = process.getBuiltinModule("node:inspector");
    const { post } = Session.prototype;
    const counts = {};
    Session.prototype.post = function (method, ...rest) {
      counts[method] = (counts[method] ?? 0) + 1;
      return post.call(this, method, ...rest);
    };
    const counter = () => { let n = 0; return { inc: () => ++n, get: () => n }; };
    ${program}
    console.log(JSON.stringify(counts));
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", counting], {
    encoding: "utf8",
  });
  return JSON.parse(output) as Record<string, number>;
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0);

test("telling variables apart costs in proportion to their number", () => {
  const few = messages("capture(Array.from({ length: 50 }, counter));");
  const many = messages("capture(Array.from({ length: 100 }, counter));");
  expect(sum(many)).toBeLessThan(sum(few) * 2.2);
});

test("who shares one variable is found with one pause, however many they are", () => {
  const counts = messages(`
    let n = 0;
    capture(Array.from({ length: 100 }, (_, i) => () => (n += i)));
    const inner = () => { let k = 0; return Array.from({ length: 100 }, () => () => ++k); };
    capture(inner());
  `);
  expect(counts["Runtime.terminateExecution"]).toBeLessThanOrEqual(2);
});

test("one more variable is told apart from a hundred known ones without looking at each again", () => {
  const counts = messages(`
    const all = Array.from({ length: 100 }, counter);
    capture(all);
    for (const method of Object.keys(counts)) counts[method] = 0;
    all.push(counter());
    capture(all);
  `);
  expect(counts["Runtime.terminateExecution"]).toBeLessThanOrEqual(4);
});

test("the debugger is turned on once for a capture, because that takes long", () => {
  const counts = messages(`
    capture(Array.from({ length: 20 }, (_, i) => ({ i, m() { return () => this.i; } }).m()));
  `);
  expect(counts["Debugger.enable"]).toBeLessThanOrEqual(2);
  expect(counts["Debugger.disable"]).toBe(counts["Debugger.enable"]);
});
