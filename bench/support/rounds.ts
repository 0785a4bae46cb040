// Rounds in which everything that is compared runs once, so that what disturbs the machine disturbs all of it.
import { referenceWork } from "./reference-work.ts";

export interface Rounds<Figures> {
  /** Of each name, one for each round. */
  readonly figures: ReadonlyMap<string, readonly Figures[]>;
  readonly referenceMs: readonly number[];
}

/** Measures each name once a round. Each round begins with another one, so that none is always the first. */
export async function inRounds<Figures>(
  names: readonly string[],
  rounds: number,
  measure: (name: string) => Promise<Figures>,
): Promise<Rounds<Figures>> {
  const figures = new Map<string, Figures[]>(names.map((name) => [name, []]));
  const referenceMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    referenceMs.push(referenceWork());
    for (const name of rotated(names, round)) {
      process.stderr.write(`round ${round + 1} of ${rounds}: ${name}\n`);
      figures.get(name)!.push(await measure(name));
    }
  }
  return { figures, referenceMs };
}

/** The same, beginning with the one at `by`. */
export function rotated<T>(values: readonly T[], by: number): T[] {
  const at = values.length === 0 ? 0 : by % values.length;
  return [...values.slice(at), ...values.slice(0, at)];
}
