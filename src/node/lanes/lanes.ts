import { Pool } from "../../worker/pool.ts";
import type { WorkerProcess } from "../../worker/worker-process.ts";
import { Dispatcher, type DispatcherOptions } from "../jobs/dispatcher.ts";
import { InstantLane } from "./instant-lane.ts";
import type { Policy } from "../policy.ts";

/** Made by {@link Lanes} itself, for both lanes. */
type MadeHere = "pool" | "nextRun" | "isArbitraryAllowed";

export interface LanesOptions extends Omit<DispatcherOptions, MadeHere> {
  readonly numWorkers: number;
  readonly numInstantWorkers: number;
  readonly policy: Policy;
  /** Only workers of the queue lane keep results on the node. */
  readonly spawn: (slot: number, keepsResults: boolean) => WorkerProcess;
}

/** The two ways in which calls run on a node, each with workers of its own: jobs of queues, and instant calls. */
export class Lanes {
  readonly queue: { readonly pool: Pool; readonly runner: Dispatcher };
  readonly instant: { readonly pool: Pool; readonly runner: InstantLane };
  readonly #options: LanesOptions;
  #runs = 0;

  constructor(options: LanesOptions) {
    const { numWorkers, numInstantWorkers, policy } = options;
    this.#options = options;
    const nextRun = (): number => ++this.#runs;
    const isArbitraryAllowed = (namespace: string): boolean => policy.isArbitraryAllowed(namespace);

    const queuePool = this.#pool(numWorkers, true, () => this.queue.runner.wake());
    const dispatcher = new Dispatcher({ ...options, pool: queuePool, nextRun, isArbitraryAllowed });
    this.queue = { pool: queuePool, runner: dispatcher };

    const instantPool = this.#pool(numInstantWorkers, false, () => this.instant.runner.assign());
    this.instant = {
      pool: instantPool,
      runner: new InstantLane({ ...options, pool: instantPool, nextRun }),
    };
  }

  get startFailures(): number {
    return Math.max(this.queue.pool.startFailures, this.instant.pool.startFailures);
  }

  /** Workers begin anew, with the modules as they are now. */
  async renew(): Promise<void> {
    await Promise.all([this.queue.pool.renew(), this.instant.pool.renew()]);
  }

  /** Ends what runs, at once. */
  abandonAll(): void {
    this.queue.runner.abandonAll();
    this.instant.runner.close();
  }

  #pool(size: number, keepsResults: boolean, onReady: () => void): Pool {
    const { policy, spawn, warn } = this.#options;
    return new Pool({
      size,
      warn,
      spawn: (slot) => spawn(slot, keepsResults),
      onReady: (namespaces) => {
        policy.update(namespaces);
        onReady();
      },
    });
  }
}
