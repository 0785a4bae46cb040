import { messageOf } from "../core/errors.ts";
import type { NamespaceInfo } from "../core/messages.ts";
import { describeExit } from "./exit.ts";
import type { WorkerProcess } from "./worker-process.ts";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
/** A worker that lived this long did not die of its start. */
const STEADY_MS = 10_000;

export interface SlotOptions {
  readonly spawn: () => WorkerProcess;
  /** Its worker's run waits for jobs that it called: said again and again. */
  readonly onWaiting: () => void;
  readonly onReady: (namespaces: readonly NamespaceInfo[]) => void;
  readonly warn: (message: string) => void;
}

/** A place for one worker: keeps it taken, with growing pauses while workers die at their start. */
export class Slot {
  readonly #options: SlotOptions;
  #worker: WorkerProcess | undefined;
  /** Workers on their way out: still alive, given nothing more. */
  readonly #retiring = new Set<WorkerProcess>();
  /** One that is to have the place as soon as it is ready. */
  #fresh: WorkerProcess | undefined;
  #isReady = false;
  #isClosed = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #isRelieving = false;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** The worker, once it can take runs. */
  get worker(): WorkerProcess | undefined {
    return this.#isReady ? this.#worker : undefined;
  }

  /** How many workers died at their start, or could not be started, one after the other. */
  get failures(): number {
    return this.worker !== undefined && isProven(this.worker) ? 0 : this.#failures;
  }

  /** How many workers have given up this place, and still have runs. */
  get retiring(): number {
    return this.#retiring.size;
  }

  /** Starts the worker. Rejects when this first one does not get ready; later ones are tried again for ever. */
  async start(): Promise<readonly NamespaceInfo[]> {
    const worker = this.#spawn();
    this.#occupy(worker);
    const namespaces = await worker.ready.catch((error: unknown) => {
      // A worker whose modules fail lives on but is of no use.
      worker.kill();
      throw error;
    });
    if (this.#worker === worker) {
      this.#isReady = true;
      this.#options.onReady(namespaces);
    }
    return namespaces;
  }

  /** Puts a fresh worker in place of this one, which ends when it has no more runs. Keeps it when the fresh one fails. */
  async renew(): Promise<void> {
    const fresh = this.#spawn();
    this.#fresh = fresh;
    try {
      const namespaces = await fresh.ready;
      this.#occupy(fresh);
      this.#isReady = true;
      this.#options.onReady(namespaces);
    } catch (error) {
      fresh.kill();
      throw error;
    } finally {
      if (this.#fresh === fresh) this.#fresh = undefined;
    }
  }

  /** Gives the place to a fresh worker, as {@link renew} does, because the run of this one waits for others. */
  async relieve(): Promise<void> {
    if (this.#isRelieving || this.#isClosed) return;
    this.#isRelieving = true;
    // What was to run behind the one that waits would wait with it.
    this.#worker?.recall();
    try {
      await this.renew();
    } catch (error) {
      if (!this.#isClosed) this.#options.warn(`no worker for what a job waits for: ${messageOf(error)}`);
    } finally {
      this.#isRelieving = false;
    }
  }

  /** Ends the workers at once, and starts none any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const workers = [this.#worker, this.#fresh, ...this.#retiring].filter((worker) => worker !== undefined);
    for (const worker of workers) worker.kill();
    await Promise.all(workers.map((worker) => worker.exited));
  }

  /** What the system refuses now it may grant later. */
  #spawn(): WorkerProcess {
    try {
      const worker = this.#options.spawn();
      worker.whileWaiting(() => worker === this.#worker && this.#options.onWaiting());
      return worker;
    } catch (error) {
      this.#startLater(this.#failures + 1, messageOf(error));
      throw error;
    }
  }

  /** Gives the place to this worker: nobody else is started for it, and whoever had it ends when it has no more runs. */
  #occupy(worker: WorkerProcess): void {
    clearTimeout(this.#retry);
    if (this.#worker !== undefined) this.#retire(this.#worker);
    this.#worker = worker;
    this.#isReady = false;
    void worker.exited.then((exit) => this.#exited(worker, describeExit(exit)));
  }

  #retire(worker: WorkerProcess): void {
    this.#retiring.add(worker);
    void worker.exited.then(() => this.#retiring.delete(worker));
    worker.closeWhenIdle();
  }

  #exited(worker: WorkerProcess, how: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#isReady = false;
    if (this.#isClosed) return;
    this.#startLater(isProven(worker) ? 0 : this.#failures + 1, `a worker ended at its start (${how})`);
  }

  #startLater(failures: number, why: string): void {
    this.#failures = failures;
    const delayMs = failures === 0 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
    // Whoever started the first one has its error.
    if (failures > 1) this.#options.warn(`${why}; the next one starts in ${delayMs} ms`);
    this.#retry = setTimeout(() => this.start().catch(() => {}), delayMs);
  }
}

/** Whether it did not die of its start, or will not. */
function isProven({ hasRun, startedAtMs }: WorkerProcess): boolean {
  return hasRun || Date.now() - startedAtMs > STEADY_MS;
}
