// The command line: `npm run bench -- [NAME...] [flags]`.
import { parseArgs } from "node:util";

export interface Options {
  readonly rounds: number;
  /** As little as shows that everything works: the figures say nothing. */
  readonly isQuick: boolean;
  /** The contestants to measure; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** Write the results, the charts and the tables of docs/benchmarks.md. */
  readonly save: boolean;
}

export interface CommandLine {
  /** `help`: only what there is to know was asked for. */
  readonly suites: readonly string[] | "help";
  readonly options: Options;
}

/** What may be named on the command line. */
export interface Known {
  readonly suites: readonly string[];
  /** Those that `all` stands for. */
  readonly all: readonly string[];
  readonly contestants: readonly string[];
}

const DEFAULT_SUITE = "calls";
const DEFAULT_ROUNDS = 3;

/** @throws UsageError that says what is wrong, and what there is */
export function parseCommandLine(args: readonly string[], known: Known): CommandLine {
  const { values, positionals } = parse(args);
  const names = positionals.length === 0 ? [DEFAULT_SUITE] : positionals;
  for (const name of names) oneOf(name, [...known.suites, "all"], "benchmark");
  const only = values.only?.split(",");
  for (const name of only ?? []) oneOf(name, known.contestants, "contestant");
  const isQuick = values.quick ?? false;
  if (values.save === true && isQuick)
    throw new UsageError("Cannot save what --quick measures: its figures say nothing");
  if (values.save === true && only !== undefined)
    throw new UsageError("Cannot save what --only measures: it would take the place of the whole");
  return {
    suites: values.help === true ? "help" : [...new Set(names.flatMap((name) => expand(name, known)))],
    options: { rounds: roundsOf(values.rounds, isQuick), isQuick, only, save: values.save ?? false },
  };
}

/** What was typed makes no sense. */
export class UsageError extends Error {
  override name = "UsageError";
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: "string" },
        quick: { type: "boolean" },
        only: { type: "string" },
        save: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function expand(name: string, { all }: Known): readonly string[] {
  return name === "all" ? all : [name];
}

function oneOf(name: string, names: readonly string[], kind: string): void {
  if (!names.includes(name))
    throw new UsageError(`There is no ${kind} "${name}" (there are: ${names.join(", ")})`);
}

function roundsOf(text: string | undefined, isQuick: boolean): number {
  const rounds = Number(text ?? (isQuick ? 1 : DEFAULT_ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError(`--rounds takes a whole number from 1 on, not "${text}"`);
  return rounds;
}
