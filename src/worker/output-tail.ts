/** Enough for the last lines of a run behind what V8 says when it gives up, which is some 6 KB. */
const KEPT_BYTES = 32 * 1024;
/** Many tiny pieces would take more room than what is in them. */
const MOST_PIECES = 64;

/** The last that a run printed. */
export class OutputTail {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#pieces.length > MOST_PIECES) this.#pieces = [this.#joined()];
    for (let [first] = this.#pieces; this.#isSpare(first); [first] = this.#pieces) {
      this.#pieces.shift();
      this.#bytes -= first?.length ?? 0;
    }
  }

  toString(): string {
    return this.#joined().toString();
  }

  #isSpare(piece: Uint8Array | undefined): boolean {
    return piece !== undefined && this.#bytes - piece.length >= KEPT_BYTES;
  }

  #joined(): Buffer {
    const joined = Buffer.concat(this.#pieces).subarray(-KEPT_BYTES);
    this.#bytes = joined.length;
    return joined;
  }
}
