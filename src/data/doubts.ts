import { ThreadError, type DataThread } from "./data-thread.ts";
import { pathOf, type Layout } from "./layout.ts";
import type { Shelf } from "./shelf.ts";
import type { Loss, Replica, Verdict } from "./types.ts";
import { Signal } from "./wait.ts";

export interface DoubtParts {
  readonly layout: Layout;
  readonly shelf: Shelf;
  readonly thread: DataThread;
  readonly doubtful: readonly Replica[];
  readonly lose: (loss: Loss) => Promise<void>;
}

/**
 * Replicas that something touched while nobody held the directory: hashed one after the other, in the background. One that
 * cannot be hashed for a reason of our own is left as it is, and looked at again when the directory is opened next.
 */
export class Doubts {
  /** Resolves when all are known, or it was stopped. */
  readonly settled: Promise<void>;
  readonly #parts: DoubtParts;
  readonly #verdicts: Verdict[] = [];
  readonly #news = new Signal();
  readonly #controller = new AbortController();
  #isOver = false;

  constructor(parts: DoubtParts) {
    this.#parts = parts;
    this.settled = this.#run();
  }

  /** From the first on, whenever it is asked for; ends when all are known or the directory is closed. */
  async *verdicts(): AsyncGenerator<Verdict> {
    for (let index = 0; ; index += 1) {
      while (index >= this.#verdicts.length && !this.#isOver) await this.#news.next();
      const verdict = this.#verdicts[index];
      if (verdict === undefined) return;
      yield verdict;
    }
  }

  stop(): void {
    this.#controller.abort();
  }

  async #run(): Promise<void> {
    for (const replica of this.#parts.doubtful) {
      if (this.#controller.signal.aborted) break;
      const verdict = await this.#judge(replica);
      if (verdict === undefined) continue;
      this.#verdicts.push(verdict);
      this.#news.send();
    }
    this.#isOver = true;
    this.#news.send();
  }

  async #judge(replica: Replica): Promise<Verdict | undefined> {
    const { layout, shelf, thread, lose } = this.#parts;
    const { signal } = this.#controller;
    try {
      // The same data may have arrived anew in the meantime.
      if (shelf.find(replica.url) !== undefined) return { replica, isSound: true };
      const { sha256 } = await thread.hash(pathOf(layout, replica.url), signal);
      const isSound = sha256 === replica.sha256;
      if (isSound) await shelf.adopt(replica);
      else await lose({ replica, reason: "its bytes are not those that were saved" });
      return { replica, isSound };
    } catch (error) {
      if (!isOfFile(error)) return undefined;
      await lose({ replica, reason: error.message }).catch(() => {});
      return { replica, isSound: false };
    }
  }
}

/** Whether a failure to hash is the file's own. */
function isOfFile(error: unknown): error is ThreadError {
  if (!(error instanceof ThreadError) || error.failure.type !== "system") return false;
  return ["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "EIO"].includes(error.failure.code);
}
