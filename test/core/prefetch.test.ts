import { expect, test } from "vitest";
import { HeldWork, RunTimes } from "../../src/core/prefetch.ts";

/** How many runs an idle worker is given of a function that took these times. */
function givenTo(times: RunTimes, key: string, held = new HeldWork()): number {
  return held.room(0, times.expectedMs(key));
}

test("a function that has not run yet is sent alone", () => {
  expect(givenTo(new RunTimes(), "new")).toBe(1);
});

test("short functions are sent several at a time, long ones alone", () => {
  const times = new RunTimes();
  for (let run = 0; run < 50; run += 1) times.record("short", 0.02);
  times.record("long", 500);
  expect(givenTo(times, "short")).toBeGreaterThan(16);
  expect(givenTo(times, "long")).toBe(1);
});

test("one slow run is enough to send a function alone again", () => {
  const times = new RunTimes();
  for (let run = 0; run < 1_000; run += 1) times.record("f", 0.02);
  times.record("f", 100);
  expect(givenTo(times, "f")).toBe(1);
});

test("only so many functions are remembered: those that ran last", () => {
  const times = new RunTimes(2);
  for (const key of ["a", "b", "a", "c"]) times.record(key, 1);
  expect(times.expectedMs("b")).toBeGreaterThan(1_000);
  expect([times.expectedMs("a"), times.expectedMs("c")]).toEqual([1, 1]);
});

test("nothing short waits behind what is long or has never run, and nothing long behind anything", () => {
  const times = new RunTimes();
  for (let run = 0; run < 50; run += 1) times.record("short", 0.02);
  times.record("long", 500);
  const held = new HeldWork();
  for (const before of ["long", "new"])
    expect(held.room(times.expectedMs(before), times.expectedMs("short"))).toBe(0);
  for (const behind of ["long", "new"])
    expect(held.room(times.expectedMs("short"), times.expectedMs(behind))).toBe(0);
  expect(held.room(times.expectedMs("short"), times.expectedMs("short"))).toBeGreaterThan(16);
});

test("the further the store is away, the more work a worker may hold, up to a limit", () => {
  const [near, far, lost] = [1, 5, 10_000].map((tripMs) => {
    const held = new HeldWork();
    for (let trip = 0; trip < 100; trip += 1) held.recordTrip(tripMs);
    return held.room(0, 0.1);
  });
  expect(far).toBeGreaterThan(2 * near!);
  expect(lost).toBeLessThan(1_000);
  expect(lost).toBeGreaterThan(far!);
});
