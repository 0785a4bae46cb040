import { expect, test } from "vitest";
import { parseCommandLine, type CommandLine } from "../../bench/support/arguments.ts";

const known = {
  suites: ["calls", "start", "broadcast"],
  all: ["calls", "start"],
  contestants: ["bullmq", "rq"],
};
const parse = (...args: string[]): CommandLine => parseCommandLine(args, known);

test("without a name, calls are measured, three rounds of all contestants", () => {
  expect(parse()).toEqual({
    suites: ["calls"],
    options: { rounds: 3, isQuick: false, only: undefined, save: false },
  });
});

test("all stands for what can run without root, and nothing is run twice", () => {
  expect(parse("all", "start").suites).toEqual(["calls", "start"]);
  expect(parse("broadcast").suites).toEqual(["broadcast"]);
});

test("flags say how often, whom and where to", () => {
  const { options } = parse("start", "--rounds", "5", "--only", "rq,bullmq");
  expect(options).toEqual({ rounds: 5, isQuick: false, only: ["rq", "bullmq"], save: false });
});

test("a quick run has one round unless told otherwise", () => {
  expect(parse("--quick").options.rounds).toBe(1);
  expect(parse("--quick", "--rounds", "2").options.rounds).toBe(2);
});

test("names and flags that are not known are refused, with those that are", () => {
  expect(() => parse("cals")).toThrow(
    'There is no benchmark "cals" (there are: calls, start, broadcast, all)',
  );
  expect(() => parse("--only", "sidekiq")).toThrow(
    'There is no contestant "sidekiq" (there are: bullmq, rq)',
  );
  expect(() => parse("--fast")).toThrow("--fast");
});

test("rounds are a number from 1 on", () => {
  for (const rounds of ["0", "-1", "1.5", "many"])
    expect(() => parse(`--rounds=${rounds}`)).toThrow("--rounds takes");
});

test("what is saved is the whole, and measured in earnest", () => {
  expect(parse("--save").options.save).toBe(true);
  expect(() => parse("--quick", "--save")).toThrow("Cannot save");
  expect(() => parse("--only", "rq", "--save")).toThrow("Cannot save");
});
