import type { Pool } from "../../worker/pool.ts";

/** More than a worker may hold: a run that takes longer was taken for shorter than it is. */
const PATIENCE_MS = 25;

/**
 * Takes back what waits behind a run that was taken for short and is not: other workers may be idle. While no worker
 * holds more than it runs, there is no timer.
 */
export class Recall {
  readonly #pool: Pool;
  /** What the workers ran at the last look. */
  #seen = new Set<number>();
  #isWatching = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** A worker holds a run that waits behind another. */
  watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    setTimeout(() => this.#look(), PATIENCE_MS).unref();
  }

  #look(): void {
    this.#isWatching = false;
    const laden = this.#pool.workers.filter(({ holdsSeveral }) => holdsSeveral);
    for (const worker of laden) if (this.#seen.has(worker.running)) worker.recall();
    this.#seen = new Set(laden.map(({ running }) => running));
    if (laden.length > 0) this.watch();
  }
}
