/** How much work, in ms, a worker may hold beside what it runs: enough to hide the way to it, too little to matter. */
const HELD_MS = 2;
const MOST_HELD = 100;

/** Remembers about how long functions run, so that short ones can be sent to workers several at a time. */
export class RunTimes {
  readonly #meanMs = new Map<string, number>();
  readonly #capacity: number;

  constructor(capacity = 1_000) {
    this.#capacity = capacity;
  }

  record(key: string, ms: number): void {
    const known = this.#meanMs.get(key);
    this.#meanMs.delete(key);
    // A slow run counts at once and is forgotten slowly: to be held up by one is worse than a short wait for more.
    const weight = known !== undefined && ms > known ? 0.5 : 0.1;
    this.#meanMs.set(key, known === undefined ? ms : known + (ms - known) * weight);
    if (this.#meanMs.size <= this.#capacity) return;
    const oldest = this.#meanMs.keys().next();
    if (oldest.done !== true) this.#meanMs.delete(oldest.value);
  }

  /** The mean in ms; `undefined` for a function that has not run yet. */
  mean(key: string): number | undefined {
    return this.#meanMs.get(key);
  }
}

/** How many runs of a function with this mean a worker may hold: 1 when it is unknown or not short. */
export function depthFor(meanMs: number | undefined): number {
  if (meanMs === undefined) return 1;
  return Math.max(1, Math.min(MOST_HELD, Math.floor(HELD_MS / Math.max(meanMs, 0.001))));
}
