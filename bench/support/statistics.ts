// What is made of the figures of several rounds.

/** The middle one; of an even number, the mean of the two in the middle. @throws when there is none */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}

/** The smallest one that at least the given share (0 to 1) does not exceed. @throws when there is none */
export function quantile(values: readonly number[], share: number): number {
  const sorted = ascending(values);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

export interface Range {
  readonly lowest: number;
  readonly highest: number;
}

/** @throws when there is none */
export function rangeOf(values: readonly number[]): Range {
  const sorted = ascending(values);
  return { lowest: sorted[0]!, highest: sorted.at(-1)! };
}

/**
 * Each value by its base's of the same round: what disturbs the machine in one round disturbs both. The median of the
 * ratios is what a comparison should show, not the ratio of the medians.
 */
export function ratios(values: readonly number[], bases: readonly number[]): number[] {
  if (values.length !== bases.length)
    throw new Error(`Cannot compare ${values.length} rounds with ${bases.length}`);
  return values.map((value, round) => value / bases[round]!);
}

function ascending(values: readonly number[]): number[] {
  if (values.length === 0) throw new Error("Nothing was measured");
  return values.toSorted((a, b) => a - b);
}
