import type { ServerResponse } from "node:http";

/** Answers that bring data, or that wait for data to come: a node that leaves lets them end. */
export class Transfers {
  readonly #answers = new Set<ServerResponse>();
  #onIdle: () => void = () => {};

  add(answer: ServerResponse): void {
    this.#answers.add(answer);
    answer.once("close", () => {
      this.#answers.delete(answer);
      if (this.#answers.size === 0) this.#onIdle();
    });
  }

  /** Resolves when none is under way, or after `graceMs`. */
  async idle(graceMs: number): Promise<void> {
    if (this.#answers.size === 0 || graceMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Breaks all off. */
  cut(): void {
    for (const answer of this.#answers) answer.destroy();
  }
}
