import type { JobId } from "../core/ids.ts";
import type { JobState } from "../core/job-states.ts";
import { type DataAccess, withAccess } from "./data-access.ts";
import { awaitingFrames, reviveThrown } from "./errors.ts";
import type { PlacementExplanation } from "./explanation.ts";
import type { Output } from "./output.ts";
import type { RemoteItems } from "./remote-items.ts";
import type { Settled } from "./tracked-job.ts";
import { decodeValue, outcomeOf } from "./values.ts";

/** What is known of a job. Times are the store's. */
export interface JobStatus {
  readonly id: JobId;
  readonly state: JobState;
  readonly queue: string;
  /** `test.add`, or the captured function's name. */
  readonly label: string;
  readonly priority: number;
  /** How often it was begun. */
  readonly attempt: number;
  /** How many workers and nodes died under it. */
  readonly deaths: number;
  /** The node that runs it, or ran it last. */
  readonly node?: string;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
}

/** What a job needs of the client that made it. */
export interface JobBackend {
  /** Waits for the end, or for a stream of items; called when somebody first wants to know. */
  settled(): Promise<Settled>;
  /** The items of an attempt; 0: of whichever had some. */
  items(attempt: number): RemoteItems;
  cancel(reason: string): Promise<void>;
  status(): Promise<JobStatus>;
  explain(): Promise<PlacementExplanation>;
  output(): AsyncIterable<Output>;
  /** The global object of the vm context to which results belong; undefined for the one of this package. */
  readonly realm?: object | undefined;
  /** How RemoteData among results reaches its data. */
  readonly access?: DataAccess | undefined;
}

/**
 * A call on its way. Await it for what the function returned, or for what it threw; or keep its `id` and ask for it
 * later, from anywhere.
 */
export class Job<R> implements PromiseLike<R> {
  readonly id: JobId;
  readonly label: string;
  readonly #backend: JobBackend;
  #items: RemoteItems | undefined;

  constructor(id: JobId, label: string, backend: JobBackend) {
    this.id = id;
    this.label = label;
    this.#backend = backend;
  }

  /** Nothing is thrown before somebody waits: a job that nobody awaits cannot end the process. */
  // oxlint-disable-next-line unicorn/no-thenable -- to be awaited is what a Job is for
  then<A = R, B = never>(
    onValue?: ((value: R) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result().then(onValue, onError);
  }

  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<R | B> {
    return this.#result().catch(onError);
  }

  finally(onEnd?: (() => void) | null): Promise<R> {
    return this.#result().finally(onEnd);
  }

  /**
   * Cancels the job: one that waits is never begun; in one that runs, the signal of `currentJob()` is aborted, and if it
   * does not stop within the grace, its worker is killed. Whoever awaits it gets `KS_CANCELLED`, unless it was faster.
   */
  async cancel(reason = ""): Promise<void> {
    await this.#backend.cancel(reason);
  }

  /** @throws KitchenError `KS_NO_SUCH_JOB` when its record has expired */
  async status(): Promise<JobStatus> {
    return await this.#backend.status();
  }

  /**
   * Why it runs where it does: what it points to, which nodes may take it, and when.
   *
   * @throws KitchenError `KS_NO_SUCH_JOB` when its record has expired
   * @example
   * ```ts
   * const { node, why } = await job.explain();
   * ```
   */
  async explain(): Promise<PlacementExplanation> {
    return await this.#backend.explain();
  }

  /**
   * Its output from the beginning, and on as it appears, until it ends.
   * @example
   * ```ts
   * for await (const { stream, text } of c.job(id).output()) process[stream].write(text);
   * ```
   */
  output(): AsyncIterable<Output> {
    return this.#backend.output();
  }

  // One async function from the wait to the throw: V8 then knows the line that awaits.
  async #result(): Promise<R> {
    const settled = await this.#backend.settled();
    if (settled.type === "streaming") return this.#streamed(settled.attempt) as R;
    const outcome = outcomeOf(settled);
    if (outcome.type === "value") return decodeValue(outcome, this.#backend) as R;
    if (outcome.type === "ended") return this.#streamed(0) as R;
    const arrival = { where: `${this.label} (job ${this.id})`, awaiting: awaitingFrames() };
    const { realm, access } = this.#backend;
    throw withAccess(access, () => reviveThrown(outcome.error, { ...arrival, realm }));
  }

  /** One for all who await the job, as a generator is one object. */
  #streamed(attempt: number): RemoteItems {
    return (this.#items ??= this.#backend.items(attempt));
  }
}
