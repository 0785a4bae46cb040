/** First in, first out, each step in constant time however long the queue is. */
export class FifoQueue<T> {
  #values: T[] = [];
  #head = 0;

  push(value: T): void {
    this.#values.push(value);
  }

  get first(): T | undefined {
    return this.#values[this.#head];
  }

  shift(): void {
    if (this.#head < this.#values.length) this.#head += 1;
    // What was taken is let go of when it is the greater part.
    if (this.#head < 1000 || this.#head * 2 < this.#values.length) return;
    this.#values = this.#values.slice(this.#head);
    this.#head = 0;
  }
}
