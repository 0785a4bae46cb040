interface Entry<T> {
  readonly item: T;
  readonly atMs: number;
  readonly number: number;
}

/** Items with a time each, the earliest first. */
export class Timetable<T> {
  readonly #byItem = new Map<T, Entry<T>>();
  readonly #sorted: Entry<T>[] = [];
  #count = 0;

  get size(): number {
    return this.#sorted.length;
  }

  get first(): T | undefined {
    return this.#sorted[0]?.item;
  }

  /** The time of the earliest. */
  get firstAtMs(): number | undefined {
    return this.#sorted[0]?.atMs;
  }

  /** The time of the first one behind so many. */
  firstAfter(count: number): number | undefined {
    return this.#sorted[count]?.atMs;
  }

  /** Adds an item that is not there. */
  add(item: T, atMs: number): void {
    const entry = { item, atMs, number: (this.#count += 1) };
    this.#byItem.set(item, entry);
    this.#sorted.splice(this.#placeOf(entry), 0, entry);
  }

  /** `false`: it was not there. */
  remove(item: T): boolean {
    const entry = this.#byItem.get(item);
    if (entry === undefined) return false;
    this.#byItem.delete(item);
    this.#sorted.splice(this.#placeOf(entry), 1);
    return true;
  }

  has(item: T): boolean {
    return this.#byItem.has(item);
  }

  /** The items whose time has come, the earliest first. */
  due(nowMs: number): T[] {
    const count = this.#placeOf({ atMs: nowMs, number: Infinity });
    return this.#sorted.slice(0, count).map(({ item }) => item);
  }

  /** Removes the items whose time has come. */
  takeDue(nowMs: number): T[] {
    const items = this.due(nowMs);
    this.#sorted.splice(0, items.length);
    for (const item of items) this.#byItem.delete(item);
    return items;
  }

  items(): Iterable<T> {
    return this.#byItem.keys();
  }

  /** Where an entry stands, or would; those of one time stand in the order in which they came. */
  #placeOf({ atMs, number }: Omit<Entry<T>, "item">): number {
    let from = 0;
    let to = this.#sorted.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      const other = this.#sorted[middle]!;
      if (other.atMs < atMs || (other.atMs === atMs && other.number < number)) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
