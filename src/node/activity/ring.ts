/** Keeps the last items, and no more of them. */
export class Ring<T> {
  readonly #size: number;
  readonly #items: T[] = [];
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  push(item: T): void {
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#size;
  }

  /** Newest first. */
  *newest(): Iterable<T> {
    for (let back = 1; back <= this.#items.length; back += 1) {
      const item = this.#items.at((this.#next - back) % this.#size);
      if (item !== undefined) yield item;
    }
  }
}
