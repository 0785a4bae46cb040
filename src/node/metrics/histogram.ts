/** In seconds: from what a call without a wait takes to what is a job of its own. */
const BOUNDS_SECONDS: readonly number[] = [
  0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 600, 3_600,
];

/** How long things took, as Prometheus counts it. To observe is to add a number: calls by the ten thousand are observed. */
export class Histogram {
  readonly #counts = new Float64Array(BOUNDS_SECONDS.length + 1);
  #sumSeconds = 0;

  observeMs(ms: number): void {
    const seconds = ms / 1_000;
    let at = 0;
    while (at < BOUNDS_SECONDS.length && seconds > (BOUNDS_SECONDS[at] ?? 0)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sumSeconds += seconds;
  }

  get sumSeconds(): number {
    return this.#sumSeconds;
  }

  /** How many were observed. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** For each bound, how many took no longer. */
  get buckets(): readonly (readonly [seconds: number, count: number])[] {
    let below = 0;
    return BOUNDS_SECONDS.map((seconds, at) => [seconds, (below += this.#counts[at] ?? 0)] as const);
  }
}
