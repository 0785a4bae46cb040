import { expect, test } from "vitest";
import { cpuMs, descendantsOf, memoryMB, startProgram } from "../../bench/support/processes.ts";

const isGone = (pid: number): boolean => {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
};

test("a program is ready when it says so, and takes what it started with it", async () => {
  const ready = /child (\d+)/;
  const args = ["-c", "sleep 100 & echo child $!; wait"];
  const { pid, said, stop } = await startProgram({ command: "/bin/sh", args, ready });
  const child = Number(ready.exec(said)?.[1]);
  if (process.platform === "linux") expect(descendantsOf(pid)).toEqual([child]);
  await stop();
  expect(isGone(pid)).toBe(true);
});

test("a program that ends before it is ready is an error with what it said", async () => {
  const args = ["-c", "echo no room >&2; exit 1"];
  await expect(startProgram({ command: "/bin/sh", args, ready: /ready/ })).rejects.toThrow("no room");
});

test.runIf(process.platform === "linux")("the system tells what a process has used", () => {
  const before = cpuMs([process.pid]);
  expect(before).toBeGreaterThan(0);
  expect(memoryMB(process.pid, "peak")).toBeGreaterThanOrEqual(memoryMB(process.pid) * 0.9);
});

test("of a process that is gone nothing is known", () => {
  const none = 2 ** 22 + 1;
  expect(cpuMs([none])).toBeNaN();
  expect(memoryMB(none)).toBeNaN();
  expect(descendantsOf(none)).toEqual([]);
});
