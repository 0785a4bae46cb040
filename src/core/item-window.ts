/** A generator runs at most this far ahead of what its reader has taken. */
export const MOST_ITEMS = 64;
const MOST_BYTES: number = 4 * 1024 * 1024;

/** How far a streamed result is ahead of its reader: pure counting, the same for worker and tests. */
export class ItemWindow {
  readonly #sizes: number[] = [];
  #bytes = 0;
  #first = 0;

  /** Whether the generator has to wait. One item always has room, however large. */
  get isFull(): boolean {
    return this.#sizes.length >= MOST_ITEMS || this.#bytes >= MOST_BYTES;
  }

  add(bytes: number): void {
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** The reader has every item before index `from`. */
  taken(from: number): void {
    while (this.#first < from && this.#sizes.length > 0) {
      this.#bytes -= this.#sizes.shift() ?? 0;
      this.#first += 1;
    }
  }
}
