import { once } from "node:events";
import { expect, test } from "vitest";
import { EarlyProcesses } from "../../src/worker/early-processes.ts";
import { workerEnvironment } from "../../src/worker/environment.ts";
import { childProcesses } from "../support/children.ts";

const started = (count: number): EarlyProcesses =>
  new EarlyProcesses({ environment: workerEnvironment(process.env, []), memoryBytes: undefined }, count);
const pids = (): number[] =>
  childProcesses()
    .filter((line) => line.includes("worker/child/entry.js"))
    .map((line) => Number.parseInt(line, 10));

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("processes that nobody took are ended, those that somebody took are not", async () => {
  const early = started(2);
  const taken = early.take();
  expect(pids()).toHaveLength(2);
  early.close();
  await expect.poll(pids).toEqual([taken?.pid]);
  expect(early.take()).toBeUndefined();
  taken?.kill();
  if (taken !== undefined) await once(taken, "exit");
});

test("a process that has died is not given to anybody", async () => {
  const early = started(2);
  const [first = 0, second] = pids();
  process.kill(first, "SIGKILL");
  // It is there until this process has noticed.
  await expect.poll(() => isThere(first)).toBe(false);
  const taken = early.take();
  expect(taken?.pid).toBe(second);
  expect(early.take()).toBeUndefined();
  taken?.kill();
  if (taken !== undefined) await once(taken, "exit");
});
