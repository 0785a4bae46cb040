import { messageOf } from "../../core/errors.ts";
import type { OverdueJob, Store } from "../../store/port.ts";
import { Alarm } from "../alarm.ts";
import { deathLines } from "./death.ts";
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

  /** A job was submitted that may wait so long, or waits again. */
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

function overdueMessage({ label, queue, ttlMs, attempt, pastDeaths }: OverdueJob): string {
  if (attempt === 0)
    return `Cannot run ${label}: it waited longer than its ttlMs of ${ttlMs} ms in the queue "${queue}", and was never begun (start more workers for the queue, or give it more with ttlMs)`;
  const attempts = `${attempt} attempt${attempt === 1 ? "" : "s"}`;
  const first = `Cannot run ${label} again: its ttlMs of ${ttlMs} ms was over behind ${attempts} that came to nothing, and it was not begun again (give it more with ttlMs; retryDelayMs counts, too)`;
  return pastDeaths.length === 0 ? first : [`${first}. Deaths:`, ...deathLines(pastDeaths)].join("\n");
}
