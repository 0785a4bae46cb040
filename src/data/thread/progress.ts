/** Who reads a growing file waits for it, and so does everybody behind in a chain: little and often. */
const EVERY_BYTES: number = 1024 * 1024;
const EVERY_MS = 20;

/** Tells how far a transfer is: not for every piece, but soon. */
export class Progress {
  readonly #report: (bytes: number) => void;
  #bytes = 0;
  #reported = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(report: (bytes: number) => void) {
    this.#report = report;
  }

  to(bytes: number): void {
    this.#bytes = bytes;
    // The first bytes at once: whoever waits can begin.
    if (this.#reported === 0 || bytes - this.#reported >= EVERY_BYTES) this.#tell();
    else this.#timer ??= setTimeout(() => this.#tell(), EVERY_MS);
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#bytes = 0;
    this.#reported = 0;
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#reported = this.#bytes;
    this.#report(this.#bytes);
  }
}
