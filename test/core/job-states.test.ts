import { expect, test } from "vitest";
import { decideNext, type AttemptEnd } from "../../src/core/attempt.ts";
import { canMove, isFinal, TRANSITIONS, type JobState } from "../../src/core/job-states.ts";

const STATES = Object.keys(TRANSITIONS) as JobState[];
const outcome = new Uint8Array([1]);
const counts = {
  deaths: 0,
  throws: 0,
  retries: 0,
  retryDelayMs: 50,
  maxDeaths: 3,
  isIdempotent: true,
  hasStreamed: false,
};

test("nothing leaves a final state, and every state is reachable", () => {
  for (const state of STATES.filter(isFinal)) expect(TRANSITIONS[state]).toEqual([]);
  const reached = new Set<JobState>(["queued"]);
  for (const state of reached) for (const next of TRANSITIONS[state]) reached.add(next);
  expect([...reached].toSorted()).toEqual(STATES.toSorted());
});

test.each<[AttemptEnd["type"], AttemptEnd]>([
  ["returned", { type: "returned", outcome }],
  ["threw", { type: "threw", outcome }],
  ["stopped", { type: "stopped", state: "cancelled", outcome }],
  ["died", { type: "died", outcome, isDeliberate: false }],
  ["not-begun", { type: "not-begun" }],
])("what becomes of a job whose attempt %s is a legal transition", (_name, end) => {
  expect(canMove("running", decideNext(end, counts).next)).toBe(true);
});

test("an attempt that throws is followed by as many retries as asked for, each after the pause", () => {
  const threw: AttemptEnd = { type: "threw", outcome };
  expect(decideNext(threw, counts)).toEqual({ next: "failed", outcome });
  expect(decideNext(threw, { ...counts, retries: 2, throws: 1 })).toEqual({
    next: "queued",
    deaths: 0,
    throws: 2,
    delayMs: 50,
  });
  expect(decideNext(threw, { ...counts, retries: 2, throws: 2 })).toEqual({ next: "failed", outcome });
});

test("a lost worker costs a death, the third one fails the job, and process.exit() fails it at once", () => {
  const died: AttemptEnd = { type: "died", outcome, isDeliberate: false };
  expect(decideNext(died, counts)).toEqual({ next: "queued", deaths: 1, throws: 0 });
  expect(decideNext(died, { ...counts, deaths: 2 })).toEqual({ next: "failed", outcome });
  expect(decideNext({ ...died, isDeliberate: true }, counts)).toEqual({ next: "failed", outcome });
});

test("a job that is not idempotent is not begun again when its worker is lost, and is when it never began", () => {
  const once = { ...counts, isIdempotent: false };
  expect(decideNext({ type: "died", outcome, isDeliberate: false }, once)).toEqual({
    next: "failed",
    outcome,
  });
  expect(decideNext({ type: "not-begun" }, once)).toEqual({ next: "queued", deaths: 0, throws: 0 });
});

test("an attempt that never began costs nothing", () => {
  expect(decideNext({ type: "not-begun" }, { ...counts, deaths: 1, throws: 1 })).toEqual({
    next: "queued",
    deaths: 1,
    throws: 1,
  });
});
