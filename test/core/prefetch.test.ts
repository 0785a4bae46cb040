import { expect, test } from "vitest";
import { depthFor, RunTimes } from "../../src/core/prefetch.ts";

test("a function that has not run yet is sent alone", () => {
  expect(depthFor(new RunTimes().mean("new"))).toBe(1);
});

test("short functions are sent several at a time, long ones alone", () => {
  const times = new RunTimes();
  for (let run = 0; run < 50; run += 1) times.record("short", 0.02);
  times.record("long", 500);
  expect(depthFor(times.mean("short"))).toBeGreaterThan(16);
  expect(depthFor(times.mean("long"))).toBe(1);
});

test("one slow run is enough to send a function alone again", () => {
  const times = new RunTimes();
  for (let run = 0; run < 1_000; run += 1) times.record("f", 0.02);
  times.record("f", 100);
  expect(depthFor(times.mean("f"))).toBe(1);
});

test("only so many functions are remembered: those that ran last", () => {
  const times = new RunTimes(2);
  for (const key of ["a", "b", "c"]) times.record(key, 1);
  expect(times.mean("a")).toBe(undefined);
  expect(times.mean("c")).toBe(1);
});
