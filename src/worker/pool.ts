import type { NamespaceInfo } from "../core/messages.ts";
import { Slot } from "./slot.ts";
import type { WorkerProcess } from "./worker-process.ts";

export interface PoolOptions {
  readonly size: number;
  /** `slot`: the worker's place here, from 1. */
  readonly spawn: (slot: number) => WorkerProcess;
  /** A worker can take runs: at the start, after a death, after a renewal. */
  readonly onReady: (namespaces: readonly NamespaceInfo[]) => void;
  readonly warn: (message: string) => void;
}

/** So many workers may wait beside those of a pool, for jobs that theirs called: each has its memory. */
const MOST_WAITING = 64;

/**
 * A fixed number of places for workers, each kept taken. A worker whose run waits for jobs that it called gives its place
 * to a fresh one when there is no other for them, and ends with that run: else all might wait for each other.
 */
export class Pool {
  readonly #slots: readonly Slot[];
  readonly #warn: (message: string) => void;
  #hasWarned = false;

  constructor({ size, spawn, onReady, warn }: PoolOptions) {
    this.#warn = warn;
    this.#slots = Array.from({ length: size }, (_, at): Slot => {
      const onWaiting = (): void => this.#relieve(slot);
      const slot = new Slot({ spawn: () => spawn(at + 1), onReady, onWaiting, warn });
      return slot;
    });
  }

  #relieve(slot: Slot): void {
    if (this.workers.some(({ running }) => running === 0)) return;
    const waiting = this.#slots.reduce((sum, { retiring }) => sum + retiring, 0);
    if (waiting < MOST_WAITING) void slot.relieve();
    else if (!this.#hasWarned) {
      this.#hasWarned = true;
      this.#warn(
        `${MOST_WAITING} workers wait for jobs that theirs called, and there will be no more: such jobs may wait for each other for ever (call fewer of them at a time, or pass jobs as arguments)`,
      );
    }
  }

  /** The workers that can take runs now. */
  get workers(): WorkerProcess[] {
    const workers = [];
    // Asked for with every run that ends.
    for (const { worker } of this.#slots) if (worker !== undefined) workers.push(worker);
    return workers;
  }

  /** All places, from 1, with the workers that can take runs now. */
  get places(): { readonly slot: number; readonly worker: WorkerProcess | undefined }[] {
    return this.#slots.map(({ worker }, at) => ({ slot: at + 1, worker }));
  }

  /** The most deaths at the start that any slot has seen in a row: 0 when all is well. */
  get startFailures(): number {
    return Math.max(0, ...this.#slots.map(({ failures }) => failures));
  }

  /** Starts all workers; resolves when the first is ready, with what its modules registered. */
  async start(): Promise<readonly NamespaceInfo[]> {
    const starts = this.#slots.map((slot) => slot.start());
    try {
      return await Promise.any(starts);
    } catch (error) {
      // All failed, and all for the same reason: the modules.
      throw error instanceof AggregateError ? error.errors[0] : error;
    }
  }

  /** Replaces every worker, for changed modules. Rejects, and keeps the workers there are, when fresh ones fail. */
  async renew(): Promise<void> {
    for (const slot of this.#slots) await slot.renew();
  }

  async close(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.close()));
  }
}
