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

/** A fixed number of workers, each kept alive. */
export class Pool {
  readonly #slots: readonly Slot[];

  constructor({ size, spawn, onReady, warn }: PoolOptions) {
    this.#slots = Array.from(
      { length: size },
      (_, at) => new Slot({ spawn: () => spawn(at + 1), onReady, warn }),
    );
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
