import { createInterface, type Interface } from "node:readline";
import { PassThrough, type Readable } from "node:stream";

/**
 * Gives a REPL the lines of a file or pipe one by one, each when it has done with the one before: by itself it begins with
 * all of them at once, and ends when they end, whatever is still awaited.
 */
export class OneByOne {
  readonly input: PassThrough = new PassThrough();
  #isReady: Promise<void> = Promise.resolve();
  #markReady: () => void = () => {};
  #lines: Interface | undefined;
  #isClosed = false;

  /** The REPL takes another line. */
  next(): void {
    this.#markReady();
  }

  /** The REPL takes no more: one of the lines had it end. */
  close(): void {
    this.#isClosed = true;
    this.#lines?.close();
    this.#markReady();
  }

  /** Resolves when all lines are done with, or the REPL has ended. */
  async feed(source: Readable): Promise<void> {
    this.#lines = createInterface(source);
    for await (const line of this.#lines) {
      await this.#isReady;
      if (this.#isClosed) return;
      this.#isReady = new Promise((resolve) => {
        this.#markReady = resolve;
      });
      this.input.write(`${line}\n`);
    }
    await this.#isReady;
    this.input.end();
  }
}
