import { expect, test } from "vitest";
import type { RunResult } from "../../src/core/messages.ts";
import { RunList, type RunHandlers } from "../../src/worker/run-list.ts";

const RESULT: RunResult = { outcome: Buffer.alloc(0), isError: false, ranMs: 1 };

/** Writes down what happens to a run. */
function handlers(log: string[], name: string): RunHandlers {
  const note = (what: string) => (): undefined => void log.push(`${name} ${what}`);
  return {
    onBegin: note("begins"),
    onOutput: note("prints"),
    onStreaming: note("streams"),
    onItem: note("yields"),
    onProgress: note("says how far it is"),
    onFinished: note("finished"),
    onSkipped: note("skipped"),
    onLost: note("lost"),
  };
}

function finish(runs: RunList, run: number): void {
  runs.finished(run, RESULT);
  runs.outputEnded("stdout");
  runs.outputEnded("stderr");
}

test("a run begins when the one before it has ended", () => {
  const log: string[] = [];
  const runs = new RunList(() => {});
  runs.add(1, handlers(log, "first"), 1);
  runs.add(2, handlers(log, "second"), 1);
  finish(runs, 1);
  expect(log).toEqual(["first begins", "first finished", "second begins"]);
});

test("a run begins, once, when the output of the one before has ended, though its result is held back behind it", () => {
  const log: string[] = [];
  const runs = new RunList(() => {});
  runs.add(1, handlers(log, "first"), 1);
  runs.add(2, handlers(log, "second"), 1);
  runs.outputEnded("stdout");
  runs.outputEnded("stderr");
  expect(log).toEqual(["first begins", "second begins"]);
  runs.finished(1, RESULT);
  expect(log).toEqual(["first begins", "second begins", "first finished"]);
});

test("a run begins when the one before it was taken back though its turn had come, so that its deadline counts", () => {
  const log: string[] = [];
  const runs = new RunList(() => {});
  runs.add(1, handlers(log, "long"), 1);
  runs.add(2, handlers(log, "recalled"), 1);
  expect(runs.overdue()).toEqual([2]);
  // The long one ends before the worker hears that what waits is recalled, and more is given to it meanwhile.
  finish(runs, 1);
  runs.add(3, handlers(log, "next"), 1);
  runs.skipped(2);
  expect(log).toEqual(["long begins", "long finished", "recalled begins", "recalled skipped", "next begins"]);
});

test("a worker that has died takes no more: whoever hears of a run that it lost gives the next to another", () => {
  const runs = new RunList(() => {});
  const loads: number[] = [];
  runs.add(1, { ...handlers([], "first"), onLost: () => loads.push(runs.loadMs) }, 1);
  runs.lost({ code: null, signal: "SIGKILL" });
  expect([...loads, runs.loadMs]).toEqual([Infinity, Infinity]);
});

test("what a run prints is its own, though the one before it was taken back and nobody has heard of that", () => {
  const log: string[] = [];
  const runs = new RunList(() => {});
  runs.add(1, handlers(log, "first"), 1);
  runs.add(2, handlers(log, "cancelled"), 1);
  runs.add(3, handlers(log, "third"), 1);
  // The pipes are read before the channel.
  const ended = (): void => (["stdout", "stderr"] as const).forEach((stream) => runs.outputEnded(stream));
  ended();
  ended();
  void runs.output("stdout", Buffer.from("of the third"));
  ended();
  runs.skipped(2);
  runs.finished(1, RESULT);
  runs.finished(3, RESULT);
  expect(log.filter((line) => !line.endsWith("begins"))).toEqual([
    "third prints",
    "cancelled skipped",
    "first finished",
    "third finished",
  ]);
  expect([runs.count, runs.loadMs]).toEqual([0, 0]);
});

test("of a run that was taken back nothing is heard any more, and it counts for nothing", () => {
  const log: string[] = [];
  const stray: string[] = [];
  const runs = new RunList((text) => stray.push(text));
  runs.add(1, handlers(log, "first"), 5);
  runs.add(2, handlers(log, "recalled"), 7);
  runs.skipped(2);
  expect([runs.count, runs.loadMs]).toEqual([1, 5]);
  runs.skipped(2);
  runs.progress(2, { done: 1, total: 2, label: "" });
  finish(runs, 1);
  void runs.output("stdout", Buffer.from("nobody's"));
  let isEmpty = false;
  runs.onceEmpty(() => (isEmpty = true));
  expect({ log, stray, isEmpty }).toEqual({
    log: ["first begins", "recalled skipped", "first finished"],
    stray: ["nobody's"],
    isEmpty: true,
  });
});

test("a worker's death is no fault of a run that it had skipped", () => {
  const log: string[] = [];
  const runs = new RunList(() => {});
  const blamed = (name: string): RunHandlers => ({
    ...handlers(log, name),
    onLost: (_, wasRunning) => log.push(`${name} lost${wasRunning ? ", having run" : ""}`),
  });
  runs.add(1, blamed("first"), 1);
  runs.add(2, blamed("recalled"), 1);
  runs.add(3, blamed("third"), 1);
  runs.skipped(2);
  runs.outputEnded("stdout");
  runs.outputEnded("stderr");
  runs.finished(1, RESULT);
  runs.lost({ code: null, signal: "SIGKILL" });
  expect(log).toEqual([
    "first begins",
    "recalled skipped",
    "third begins",
    "first finished",
    "third lost, having run",
  ]);
});
