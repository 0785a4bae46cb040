import { expect, onTestFinished, test, vi } from "vitest";
import { parseSpec } from "../../src/codec/wire.ts";
import { Activity } from "../../src/node/activity/activity.ts";
import { type InstantCall, InstantLane } from "../../src/node/lanes/instant-lane.ts";
import { Streams } from "../../src/node/streams/streams.ts";
import type { Pool } from "../../src/worker/pool.ts";
import type { RunHandlers } from "../../src/worker/run-list.ts";
import { bytes, N1, newId } from "../store/support/harness.ts";
import { additionSpec } from "./support/addition.ts";

/** A lane whose only worker ends each run as soon as it has it. */
function quickLane(): InstantLane {
  const run = (_start: unknown, _units: unknown, handlers: RunHandlers): void => {
    handlers.onBegin();
    handlers.onFinished({ outcome: bytes("3"), isError: false, ranMs: 1 });
  };
  return new InstantLane({
    pool: { workers: [{ slot: 1, loadMs: 0, isStreaming: false, run }] } as unknown as Pool,
    node: N1,
    graceMs: 0,
    workerMemoryBytes: undefined,
    nextRun: () => 1,
    activity: new Activity(),
    streams: new Streams(),
  });
}

const specBytes = additionSpec({ ttlMs: 3_600_000 });

test("nothing is left of an instant call that has ended, however long it might have waited", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const onEnd = vi.fn<InstantCall["onEnd"]>();
  quickLane().run({
    id: newId(),
    spec: parseSpec(specBytes),
    specBytes,
    units: new Map(),
    onOutput: () => undefined,
    onStreaming: () => {},
    onProgress: () => {},
    onEnd,
  });
  expect(onEnd).toHaveBeenCalledExactlyOnceWith({ type: "returned", outcome: bytes("3") });
  expect(vi.getTimerCount()).toBe(0);
});
