/** The least that a worker may hold beside what it runs, in ms of work. */
const LEAST_HELD_MS = 2;
const MOST_HELD_MS = 20;
/** Whatever is shorter counts as this long, so that no worker holds more than a hundred runs for each 2 ms. */
const SHORTEST_MS = 0.02;
/** More than any worker may hold: what is expected to take so long has a worker for itself. */
export const ALONE_MS = 1_000_000;

/** Remembers about how long functions run, so that short ones can be sent to workers several at a time. */
export class RunTimes {
  readonly #meanMs = new Map<string, number>();
  readonly #capacity: number;
  #last = "";

  constructor(capacity = 1_000) {
    this.#capacity = capacity;
  }

  record(key: string, ms: number): void {
    const known = this.#meanMs.get(key);
    // The order of the map is that of the last runs; the same function mostly runs many times in a row.
    if (key !== this.#last) this.#meanMs.delete(key);
    this.#last = key;
    // A slow run counts at once and is forgotten slowly: to be held up by one is worse than a short wait for more.
    const weight = known !== undefined && ms > known ? 0.5 : 0.1;
    this.#meanMs.set(key, known === undefined ? ms : known + (ms - known) * weight);
    if (this.#meanMs.size <= this.#capacity) return;
    const oldest = this.#meanMs.keys().next();
    if (oldest.done !== true) this.#meanMs.delete(oldest.value);
  }

  /** How long a run will take, in ms; a function that has not run yet may take for ever. */
  expectedMs(key: string): number {
    return Math.max(SHORTEST_MS, this.#meanMs.get(key) ?? ALONE_MS);
  }
}

/**
 * How much work a worker may hold, in ms: enough to hide the way to the store and back, so that it need not wait for
 * more, and too little to matter to whoever waits behind it.
 */
export class HeldWork {
  #tripMs = 0;

  /** A claim took this long from its call to its answer, in ms. */
  recordTrip(ms: number): void {
    this.#tripMs += (ms - this.#tripMs) * 0.1;
  }

  get mostMs(): number {
    return Math.max(LEAST_HELD_MS, Math.min(MOST_HELD_MS, 2 * this.#tripMs));
  }

  /** How many runs of `expectedMs` each a worker may be given that holds `loadMs` of work: one at least when it idles. */
  room(loadMs: number, expectedMs: number): number {
    const count = Math.max(0, Math.floor((this.mostMs - loadMs) / expectedMs));
    return loadMs === 0 ? Math.max(1, count) : count;
  }
}
