import fc from "fast-check";
import { run, type Subject } from "./run.ts";
import { type Step, step } from "./steps.ts";

const SIZE = { maxLength: 80, size: "max" } as const;

/** `MODEL_RUNS=20000` for a long look; `MODEL_REPLAY="SEED PATH"`, as a failure says them, for that one again. */
export function howMany(usually: number): { readonly numRuns: number; readonly timeoutMs: number } {
  const numRuns = Number(process.env["MODEL_RUNS"] ?? usually);
  return { numRuns, timeoutMs: 60_000 + numRuns * 500 };
}

function replay(): { seed: number; path?: string } | undefined {
  const [seed, path] = process.env["MODEL_REPLAY"]?.split(" ") ?? [];
  if (seed === undefined) return undefined;
  return path === undefined ? { seed: Number(seed) } : { seed: Number(seed), path };
}

/** Lets histories happen, each to a store of its own, which `withSubject` opens and closes. Gives their number. */
export async function checkHistories<Kind>(
  kind: fc.Arbitrary<Kind>,
  numRuns: number,
  withSubject: (kind: Kind, body: (subject: Subject) => Promise<void>) => Promise<void>,
): Promise<number> {
  const steps: fc.Arbitrary<Step[]> = fc.array(step, SIZE);
  const property = fc.asyncProperty(kind, steps, (of, history) =>
    withSubject(of, (subject) => run(subject, history)),
  );
  const found = await fc.check(property, { numRuns, ...replay() });
  if (found.failed)
    throw new Error(
      `History ${found.numRuns} of ${numRuns} failed; again: MODEL_REPLAY="${found.seed} ${found.counterexamplePath}"`,
      { cause: found.errorInstance },
    );
  return found.numRuns;
}
