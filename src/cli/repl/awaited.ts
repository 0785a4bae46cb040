import { Job } from "../../client/jobs/job.ts";
import { KitchenError } from "../../core/errors.ts";

type Handler = ((value: unknown) => unknown) | null | undefined;
type Then = (this: Job<unknown>, onValue?: Handler, onError?: Handler) => Promise<unknown>;

/**
 * The jobs that the line awaits that is being evaluated: those of them that were submitted here are what Ctrl-C cancels,
 * and not those that were left to run before. A REPL has a process of its own, so nobody else sees that `then` is another one.
 */
export class AwaitedJobs {
  readonly #jobs = new Set<Job<unknown>>();
  #cancelled = 0;

  /** From now on, jobs are noted. */
  watch(): void {
    const jobs = this.#jobs;
    const then = Reflect.get(Job.prototype, "then") as Then;
    const noting: Then = function noting(this: Job<unknown>, ...handlers) {
      jobs.add(this);
      const settled = (): unknown => jobs.delete(this);
      const result = then.apply(this, handlers);
      result.then(settled, settled);
      return result;
    };
    Reflect.set(Job.prototype, "then", noting);
  }

  /** A new line is evaluated. */
  begin(): void {
    this.#jobs.clear();
    this.#cancelled = 0;
  }

  cancel(reason: string): void {
    const own = [...this.#jobs].filter(({ isOwn }) => isOwn);
    for (const job of own) job.cancel(reason).catch(() => {});
    this.#cancelled += own.length;
    this.#jobs.clear();
  }

  /** What is to be shown for Node's word that the line was interrupted, if jobs were cancelled. */
  whyInterrupted(error: unknown): KitchenError | undefined {
    const isInterruption =
      error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED";
    if (this.#cancelled === 0 || !isInterruption) return undefined;
    const jobs = this.#cancelled === 1 ? "The job was" : `${this.#cancelled} jobs were`;
    const cancelled = new KitchenError("KS_CANCELLED", `${jobs} cancelled: Ctrl-C`);
    // Where the REPL noticed it tells nothing.
    cancelled.stack = `${cancelled.name}: ${cancelled.message}`;
    return cancelled;
  }
}
