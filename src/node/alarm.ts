/** What setTimeout takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls back once, at the earliest of the times that it is set to: whoever is called learns of the next one. */
export class Alarm {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** To go off in `delayMs`, if it does not go off before. */
  set(delayMs: number): void {
    const atMs = performance.now() + delayMs;
    if (atMs >= this.#atMs) return;
    this.clear();
    this.#atMs = atMs;
    this.#timer = setTimeout(
      () => {
        this.clear();
        this.#onDue();
      },
      Math.min(delayMs, LONGEST_TIMER_MS),
    );
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#atMs = Infinity;
  }
}
