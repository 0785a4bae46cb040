// The command line: `npm run chaos -- [--minutes N] [--seed N] [--nodes N]`, and what follows from it.
import { parseArgs } from "node:util";

export interface Settings {
  /** How long faults happen. */
  readonly durationMs: number;
  /** The same seed gives the same faults at the same times. */
  readonly seed: number;
  readonly nodes: number;
  readonly clients: number;
  /** Of all clients together. */
  readonly callsPerSecond: number;
  /** The longest that anything is away. */
  readonly longestMs: number;
  /** How long results are kept: longer than it takes to read them, whatever is away. */
  readonly resultTtlMs: number;
  /** Whether results are waited out at the end, so that all is seen to go. */
  readonly waitsForExpiry: boolean;
  /** How long everything has to settle at the end. */
  readonly settleMs: number;
}

/** Shorter runs do not wait for results to expire. */
const LONG_MS = 2 * 60_000;

/** What was typed makes no sense. */
export class UsageError extends Error {
  override name = "UsageError";
}

export const USAGE = `npm run chaos -- [flags]

  --minutes N   how long faults happen (default: 2)
  --seed N      repeats the faults of a run (default: a new one)
  --nodes N     how many nodes there are, from 2 on (default: 3)
  --rate N      calls a second, of all clients together (default: 100); fewer while
                many jobs wait`;

/** @throws UsageError */
export function settingsFrom(args: readonly string[], seed: number): Settings | "help" {
  const values = parse(args);
  if (values.help === true) return "help";
  const durationMs = number(values.minutes ?? "2", "--minutes") * 60_000;
  const waitsForExpiry = durationMs >= LONG_MS;
  const longestMs = Math.min(60_000, Math.max(4_000, durationMs / 8));
  return {
    durationMs,
    seed: values.seed === undefined ? seed : whole(values.seed, "--seed"),
    nodes: whole(values.nodes ?? "3", "--nodes", 2),
    clients: 2,
    callsPerSecond: number(values.rate ?? "100", "--rate"),
    longestMs,
    resultTtlMs: waitsForExpiry ? Math.max(60_000, longestMs * 3) : 10 * 60_000,
    waitsForExpiry,
    settleMs: 120_000,
  };
}

function parse(args: readonly string[]) {
  try {
    const text = { type: "string" } as const;
    const options = {
      minutes: text,
      seed: text,
      nodes: text,
      rate: text,
      help: { type: "boolean" },
    } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function number(text: string, flag: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new UsageError(`Not a value for ${flag}: ${text} (expected a number above 0)`);
}

function whole(text: string, flag: string, least = 0): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`Not a value for ${flag}: ${text} (expected a whole number from ${least} on)`);
}
