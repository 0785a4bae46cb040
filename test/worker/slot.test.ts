import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { OrphanGuard } from "../../src/worker/orphan-guard.ts";
import { Slot } from "../../src/worker/slot.ts";
import type { WorkerProcess } from "../../src/worker/worker-process.ts";
import { startWorker } from "./support/worker.ts";

const WORKING = fileURLToPath(new URL("fixtures/runs.mjs", import.meta.url));
const BROKEN = fileURLToPath(new URL("fixtures/broken.mjs", import.meta.url));
/** As long as any pause between two starts. */
const LONGEST_PAUSE_MS = 30_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** A slot whose workers load what `module` says then, and all that were ever started in it. */
function slotOf(place: { module: string; failure?: Error | undefined }): {
  slot: Slot;
  workers: WorkerProcess[];
} {
  const guard = new OrphanGuard();
  const workers: WorkerProcess[] = [];
  const spawn = (): WorkerProcess => {
    if (place.failure !== undefined) throw place.failure;
    const worker = startWorker(place.module, guard);
    workers.push(worker);
    return worker;
  };
  const slot = new Slot({ spawn, onWaiting: () => {}, onReady: () => {}, warn: () => {} });
  onTestFinished(async () => {
    await slot.close();
    for (const worker of workers) worker.kill();
    await guard.close();
  });
  return { slot, workers };
}

test("a start that was put off is given up when a fresh worker takes the place", async () => {
  const place = { module: WORKING };
  const { slot, workers } = slotOf(place);
  await slot.start();
  place.module = BROKEN;
  await expect(slot.renew()).rejects.toThrow("broken");
  workers[0]?.kill();
  await workers[0]?.exited;
  // The one that is started for it has a module that does not load: the next one has to wait.
  vi.advanceTimersByTime(LONGEST_PAUSE_MS);
  await expect.poll(() => workers.length).toBe(3);
  await workers[2]?.exited;
  place.module = WORKING;
  await slot.renew();
  const fresh = slot.worker;
  vi.advanceTimersByTime(LONGEST_PAUSE_MS);
  expect(workers).toHaveLength(4);
  expect(slot.worker).toBe(fresh);
});

test("a worker that cannot be started is tried again", async () => {
  const place: { module: string; failure?: Error | undefined } = { module: WORKING };
  const { slot, workers } = slotOf(place);
  await slot.start();
  place.failure = new Error("spawn ENOMEM");
  workers[0]?.kill();
  await workers[0]?.exited;
  vi.advanceTimersByTime(LONGEST_PAUSE_MS);
  expect(slot.failures).toBeGreaterThan(1);
  place.failure = undefined;
  vi.advanceTimersByTime(LONGEST_PAUSE_MS);
  await expect.poll(() => slot.worker).toBe(workers[1]);
});
