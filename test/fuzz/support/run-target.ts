import fc from "fast-check";
import { KitchenError } from "../../../src/core/errors.ts";
import { mutated } from "./mutate.ts";
import { Random } from "./random.ts";
import type { Recordings } from "./recordings.ts";
import type { Target } from "./target.ts";

export interface RunOptions {
  readonly seed: number;
  readonly inputs: number;
  readonly recordings: Recordings;
  /** Told the number of the input that comes next. */
  readonly onInput?: (index: number) => void;
}

export interface Finding {
  readonly index: number;
  readonly what: string;
  /** In base64. */
  readonly input: string;
}

export interface Report {
  readonly target: string;
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly heapGrowthBytes: number;
  readonly findings: readonly Finding[];
}

const MOST_MS = 5_000;
const MOST_GROWTH_BYTES: number = 64 * 1024 * 1024;
const MOST_FINDINGS = 5;
const MADE_AT_ONCE = 500;
/** One input in so many is made up; the others are recordings that were changed. */
const MADE_ONE_IN = 3;

/** Gives a target its inputs, one after the other, the same ones for the same seed. */
export async function runTarget(
  target: Target,
  { seed, inputs, recordings, onInput }: RunOptions,
): Promise<Report> {
  const random = new Random(seed);
  const made = madeInputs(target, seed);
  const recorded = target.recordings(recordings);
  const refused: Record<string, number> = {};
  const findings: Finding[] = [];
  let [accepted, slowestMs] = [0, 0];
  const close = await target.open?.(recordings);
  const before = heapBytes();
  for (let index = 0; index < inputs && findings.length < MOST_FINDINGS; index += 1) {
    onInput?.(index);
    const input = target.made !== undefined && index % MADE_ONE_IN === 0 ? made() : mutated(recorded, random);
    const shown = (): string => input.toString("base64");
    const { refusal, finding, ms } = await judge(target, Buffer.from(input));
    slowestMs = Math.max(slowestMs, ms);
    if (finding !== undefined) findings.push({ index, what: finding, input: shown() });
    else if (refusal === undefined) accepted += 1;
    else refused[refusal] = (refused[refusal] ?? 0) + 1;
    const harm = ms > (target.mostMs ?? MOST_MS) ? `took ${Math.round(ms)} ms` : pollution();
    if (harm !== undefined) findings.push({ index, what: harm, input: shown() });
  }
  const heapGrowthBytes = heapBytes() - before;
  if (heapGrowthBytes > MOST_GROWTH_BYTES)
    findings.push({ index: inputs, what: `the heap grew by ${heapGrowthBytes} bytes`, input: "" });
  await close?.().catch((error: unknown) => findings.push({ index: inputs, what: String(error), input: "" }));
  return { target: target.name, inputs, accepted, refused, slowestMs, heapGrowthBytes, findings };
}

interface Judgement {
  readonly refusal?: string;
  readonly finding?: string;
  readonly ms: number;
}

async function judge({ read, refusals }: Target, input: Buffer): Promise<Judgement> {
  const begunAt = performance.now();
  try {
    const result = read(input);
    if (result instanceof Promise) await result;
    return { ms: performance.now() - begunAt };
  } catch (error) {
    const ms = performance.now() - begunAt;
    const kind = kindOf(error);
    if (refusals.some((expected) => expected === kind)) return { refusal: kind, ms };
    return { finding: error instanceof Error ? (error.stack ?? error.message) : String(error), ms };
  }
}

function kindOf(error: unknown): string {
  if (error instanceof KitchenError) return error.code;
  return error instanceof Error ? error.constructor.name : typeof error;
}

function madeInputs({ made }: Target, seed: number): () => Buffer {
  let batch: Uint8Array[] = [];
  let round = 0;
  return () => {
    if (made !== undefined && batch.length === 0)
      batch = fc.sample(made, { seed: seed + (round += 1), numRuns: MADE_AT_ONCE });
    return Buffer.from(batch.pop() ?? []);
  };
}

const PROTOTYPES: readonly object[] = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Map.prototype,
  Uint8Array.prototype,
];
const keyCount = (): number =>
  PROTOTYPES.reduce<number>((sum, prototype) => sum + Reflect.ownKeys(prototype).length, 0);
const KEYS = keyCount();

/** What all code shares must be as it was. */
function pollution(): string | undefined {
  return keyCount() === KEYS ? undefined : "something was put where all objects look";
}

/** What is left when what nobody holds is gone; where that cannot be had, all there is. */
function heapBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return globalThis.gc === undefined ? 0 : heapUsed + arrayBuffers;
}
