import type { JobId } from "../../core/ids.ts";
import type { SubmittedJob } from "../../core/messages.ts";
import type { Store } from "../../store/port.ts";
import { livingNodes } from "../facts.ts";

/** How long what was read of the nodes is good, in ms: they come and go in seconds. */
const FRESH_MS = 2_000;

/** Which queues are run somewhere, so that who submits for another one hears that nobody will begin the job. */
export class ServedQueues {
  readonly #store: Pick<Store, "nodes">;
  readonly #own: ReadonlySet<string>;
  #served: ReadonlySet<string> = new Set();
  #readAtMs = -Infinity;

  constructor(store: Pick<Store, "nodes">, own: readonly string[]) {
    this.#store = store;
    this.#own = new Set(own);
  }

  /** Queues (`gpu`, `default|node3`) that no node runs now, each with the first of its jobs. Asks the store for foreign ones alone. */
  async unserved(jobs: readonly Pick<SubmittedJob, "id" | "queue">[]): Promise<Map<string, JobId>> {
    const foreign = new Map<string, JobId>();
    for (const { id, queue } of jobs)
      if (!this.#own.has(queue) && !foreign.has(queue)) foreign.set(queue, id);
    if (foreign.size === 0) return foreign;
    // A hint alone: that the store does not answer now is said of what needs it.
    if (performance.now() - this.#readAtMs > FRESH_MS && !(await this.#read())) return new Map();
    for (const queue of this.#served) foreign.delete(queue);
    return foreign;
  }

  async #read(): Promise<boolean> {
    const nodes = await livingNodes(this.#store).catch(() => undefined);
    if (nodes === undefined) return false;
    this.#served = new Set(
      nodes.flatMap(({ name, queues }) => queues.flatMap((queue) => [queue, `${queue}|${name}`])),
    );
    this.#readAtMs = performance.now();
    return true;
  }
}
