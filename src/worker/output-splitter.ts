/** Cuts what a worker writes to one descriptor into the outputs of its runs, which end with a marker each. */
export class OutputSplitter {
  readonly #marker: Buffer;
  readonly #onOutput: (bytes: Uint8Array) => void;
  readonly #onEnd: () => void;
  /** The last bytes seen, when they may be the beginning of a marker. */
  #held: Buffer = Buffer.alloc(0);

  /** `onOutput` takes what the oldest unended run wrote, `onEnd` tells that it will write no more. */
  constructor(marker: Uint8Array, onOutput: (bytes: Uint8Array) => void, onEnd: () => void) {
    this.#marker = Buffer.from(marker);
    this.#onOutput = onOutput;
    this.#onEnd = onEnd;
  }

  push(chunk: Buffer): void {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    for (;;) {
      const end = data.indexOf(this.#marker, at);
      if (end < 0) break;
      if (end > at) this.#onOutput(data.subarray(at, end));
      this.#onEnd();
      at = end + this.#marker.length;
    }
    const tail = data.subarray(at);
    const heldBytes = beginningAtEnd(tail, this.#marker);
    if (tail.length > heldBytes) this.#onOutput(tail.subarray(0, tail.length - heldBytes));
    this.#held = tail.subarray(tail.length - heldBytes);
  }

  /** The stream ended: what was held back was no marker after all. */
  finish(): void {
    if (this.#held.length > 0) this.#onOutput(this.#held);
    this.#held = Buffer.alloc(0);
  }
}

/** How many bytes at the end of `data` are the beginning of `marker`. */
function beginningAtEnd(data: Buffer, marker: Buffer): number {
  const first = marker[0] ?? 0;
  // A marker begins with a byte that text does not hold, so this loop hardly ever runs.
  for (let from = Math.max(0, data.length - marker.length + 1); ; from += 1) {
    from = data.indexOf(first, from);
    if (from < 0) return 0;
    const length = data.length - from;
    if (data.compare(marker, 0, length, from) === 0) return length;
  }
}
