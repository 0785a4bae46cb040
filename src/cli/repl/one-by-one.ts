import { createInterface } from "node:readline";
import { PassThrough, type Readable } from "node:stream";

/**
 * Gives a REPL the lines of a file or pipe one by one, each when it has done with the one before: by itself it begins with
 * all of them at once, and ends when they end, whatever is still awaited.
 */
export class OneByOne {
  readonly input: PassThrough = new PassThrough();
  #isReady: Promise<void> = Promise.resolve();
  #markReady: () => void = () => {};

  /** The REPL takes another line. */
  next(): void {
    this.#markReady();
  }

  async feed(source: Readable): Promise<void> {
    for await (const line of createInterface(source)) {
      await this.#isReady;
      this.#isReady = new Promise((resolve) => {
        this.#markReady = resolve;
      });
      this.input.write(`${line}\n`);
    }
    await this.#isReady;
    this.input.end();
  }
}
