// Counts what happened, and keeps what must not have happened.

/** Something that was promised and did not hold. */
export interface Broken {
  readonly what: string;
  readonly at: number;
  readonly detail: string;
  /** All that is known of it. */
  readonly about?: object;
}

export class Tally {
  readonly broken: Broken[] = [];
  readonly #counts = new Map<string, number>();
  readonly #brokenCounts = new Map<string, number>();

  /** What is to be 0 stands in the table though it never happens. */
  constructor(promised: readonly string[]) {
    for (const what of promised) this.#brokenCounts.set(what, 0);
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  break(what: string, detail: string, about?: object): void {
    this.#brokenCounts.set(what, (this.#brokenCounts.get(what) ?? 0) + 1);
    this.broken.push({ what, at: Date.now(), detail, ...(about === undefined ? {} : { about }) });
  }

  counted(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  get counts(): [string, number][] {
    return [...this.#counts].toSorted(([a], [b]) => a.localeCompare(b));
  }

  get promises(): [string, number][] {
    return [...this.#brokenCounts];
  }
}
