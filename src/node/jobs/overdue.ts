import { messageOf } from "../../core/errors.ts";
import type { OverdueJob, Store } from "../../store/port.ts";
import { Alarm } from "../alarm.ts";
import { errorOutcome } from "./outcomes.ts";

/** However many jobs are due one after the other, the store is not asked more often than this. */
const LEAST_PAUSE_MS = 100;

export interface OverdueOptions {
  readonly store: Pick<Store, "expire">;
  readonly warn: (message: string) => void;
  readonly onFailed: (jobs: readonly OverdueJob[]) => void;
}

/**
 * Fails jobs that waited longer than they are worth. A node looks for them when one is due that it took in, and now and
 * then for those of nodes that are gone.
 */
export class Overdue {
  readonly #store: Pick<Store, "expire">;
  readonly #warn: (message: string) => void;
  readonly #onFailed: (jobs: readonly OverdueJob[]) => void;
  readonly #alarm = new Alarm(() => void this.look());
  #isLooking = false;
  #isClosed = false;

  constructor({ store, warn, onFailed }: OverdueOptions) {
    this.#store = store;
    this.#warn = warn;
    this.#onFailed = onFailed;
  }

  /** A job was submitted that may wait so long. */
  lookIn(ms: number): void {
    if (!this.#isClosed) this.#alarm.set(Math.max(LEAST_PAUSE_MS, ms));
  }

  async look(): Promise<void> {
    if (this.#isLooking || this.#isClosed) return;
    this.#isLooking = true;
    try {
      const nextMs = await this.#failAll();
      if (nextMs !== undefined) this.lookIn(nextMs);
    } catch (error) {
      this.#warn(`cannot look for overdue jobs: ${messageOf(error)}`);
    } finally {
      this.#isLooking = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#alarm.clear();
  }

  /** Gives when the next one is due. */
  async #failAll(): Promise<number | undefined> {
    let { due, nextMs } = await this.#store.expire([]);
    while (due.length > 0) {
      const rows = due.map((job) => ({
        id: job.id,
        outcome: errorOutcome("KS_TIMEOUT", overdueMessage(job)),
      }));
      const failed = due;
      ({ due, nextMs } = await this.#store.expire(rows));
      this.#onFailed(failed);
    }
    return nextMs;
  }
}

function overdueMessage({ label, queue, ttlMs, attempt }: OverdueJob): string {
  const begun =
    attempt === 0
      ? "was never begun"
      : `was not begun again after ${attempt} attempt${attempt === 1 ? "" : "s"}`;
  return `Cannot run ${label}: it waited longer than its ttlMs of ${ttlMs} ms in the queue "${queue}", and ${begun} (start more workers for the queue, or give it more with ttlMs)`;
}
