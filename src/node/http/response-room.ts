import type { ServerResponse } from "node:http";

/** A job whose caller has this much of its output unread waits before it prints on. */
const MOST_UNREAD_BYTES = 1024 * 1024;
/** A reader who takes nothing at all for so long does not hold up the job any more: it is cut off. */
const STALLED_MS = 10_000;

/** Tells whether a response takes more, and when it will. */
export class ResponseRoom {
  readonly #response: ServerResponse;
  #drained: Promise<void> | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** Resolves when there is room, or nobody left to read; `undefined`: there is room now. */
  get pending(): Promise<void> | undefined {
    const { writableLength, destroyed } = this.#response;
    if (this.#drained === undefined && !destroyed && writableLength > MOST_UNREAD_BYTES)
      this.#drained = this.#waitForDrain();
    return this.#drained;
  }

  async #waitForDrain(): Promise<void> {
    const response = this.#response;
    let unread = response.writableLength;
    const stalled = setInterval(() => {
      if (response.writableLength >= unread) response.destroy();
      unread = response.writableLength;
    }, STALLED_MS);
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        response.off("drain", settle).off("close", settle);
        resolve();
      };
      response.on("drain", settle).on("close", settle);
    });
    clearInterval(stalled);
    this.#drained = undefined;
  }
}
