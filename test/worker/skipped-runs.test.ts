import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { OrphanGuard } from "../../src/worker/orphan-guard.ts";
import type { RunHandlers } from "../../src/worker/run-list.ts";
import { runOf, startWorker } from "./support/worker.ts";

const MODULE = fileURLToPath(new URL("fixtures/runs.mjs", import.meta.url));
/** Longer than the worker takes for all that it was given. */
const BUSY_MS = 1_000;

test("what a run prints is its own, though the node hears of it before it hears that another one was skipped", async () => {
  const guard = new OrphanGuard();
  const worker = startWorker(MODULE, guard);
  onTestFinished(async () => {
    worker.kill();
    await worker.exited;
    await guard.close();
  });
  await worker.ready;
  const log: string[] = [];
  let onPrinted: () => void = () => {};
  const hasPrinted = new Promise<void>((resolve) => (onPrinted = resolve));
  const isOver = new Promise<void>((resolve) => {
    const handlers = (name: string, onFinished = (): void => {}): RunHandlers => ({
      onBegin: () => {},
      onOutput: (_, bytes) => {
        log.push(`${name} prints ${Buffer.from(bytes).toString().trim().split("\n").at(-1)}`);
        onPrinted();
        return undefined;
      },
      onStreaming: () => {},
      onItem: () => {},
      onProgress: () => {},
      onFinished: () => {
        log.push(`${name} finished`);
        onFinished();
      },
      onSkipped: () => log.push(`${name} skipped`),
      onLost: () => log.push(`${name} lost`),
    });
    worker.run(runOf(1, "talks"), new Map(), handlers("first"), 1);
    worker.run(runOf(2, "says"), new Map(), handlers("cancelled"), 1);
    worker.run(runOf(3, "says"), new Map(), handlers("third", resolve), 1);
  });
  await hasPrinted;
  log.length = 0;
  worker.cancel(2, "not wanted");
  // This process is busy now, from when the worker has heard of it until the worker has done all.
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
  await isOver;
  expect(log.filter((line) => !line.startsWith("first prints"))).toEqual([
    expect.stringMatching(/^(third prints 3|cancelled skipped)$/),
    expect.stringMatching(/^(third prints 3|cancelled skipped)$/),
    "first finished",
    "third finished",
  ]);
  expect(worker.loadMs).toBe(0);
});
