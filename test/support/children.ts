import { execFileSync } from "node:child_process";
import { afterAll, expect } from "vitest";

/** The living child processes of this one: pid and command. */
export function childProcesses(): string[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,args="]).toString().trim().split("\n");
  return lines.filter((line) => {
    const [, parent, state] = line.trim().split(/\s+/);
    return Number(parent) === process.pid && !state?.startsWith("Z") && !/ ps -A/.test(line);
  });
}

// Whatever a test file starts must have ended when it ends.
let before: string[] = childProcesses();
afterAll(() => {
  const left = childProcesses().filter((line) => !before.includes(line));
  before = childProcesses();
  expect(left, "child processes left behind").toEqual([]);
});
