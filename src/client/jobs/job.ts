import type { JobId } from "../../core/ids.ts";
import type { JobState } from "../../core/job-states.ts";
import type { Progress } from "../../core/progress.ts";
import { withAccess } from "../remote-data/data-access.ts";
import { stopJobs } from "../calls/job-argument.ts";
import { JUPYTER_DISPLAY, type RichDisplay, richTable } from "../display/rich.ts";
import { awaitingFrames, reviveThrown } from "../errors.ts";
import type { PlacementExplanation } from "./explanation.ts";
import type { Output } from "../output/output.ts";
import type { JobAccess } from "./job-access.ts";
import { RemoteItems } from "./remote-items.ts";
import type { TrackedJob } from "./tracked-job.ts";
import { decodeValue, outcomeOf } from "../values.ts";

/** What is known of a job. Times are the store's. */
export interface JobStatus {
  /** The job's. */
  readonly id: JobId;
  /** Of now. */
  readonly state: JobState;
  /** The queue that it waits or waited in. */
  readonly queue: string;
  /** `test.add`, or the captured function's name. */
  readonly label: string;
  /** From -1000 (last) to 1000 (first). */
  readonly priority: number;
  /** How often it was begun. */
  readonly attempt: number;
  /** How many workers and nodes died under it, so that it was begun again. */
  readonly deaths: number;
  /** The node that runs it, or ran it last. */
  readonly node?: string;
  /** When it was submitted. */
  readonly createdAt: Date;
  /** When its last attempt began. */
  readonly startedAt?: Date;
  /** When it ended, however it did. */
  readonly finishedAt?: Date;
  /** What it last said of how far it is, while it runs. */
  readonly progress?: Progress;
}

/** What a job is made of. */
export interface JobParts {
  readonly id: JobId;
  readonly label: string;
  /** The global object of the vm context to which results belong; undefined for the one of this package. */
  readonly realm: object | undefined;
  /** How this client waits for it; undefined for a job that was made elsewhere. */
  readonly tracked: TrackedJob | undefined;
}

/**
 * A call on its way, as `c.call()` and `c.job()` give it. Await it for what the function returned, or for what it threw; or
 * keep its `id` and ask for it later, from anywhere.
 *
 * @example
 * ```ts
 * const job = c.call(render, "intro.mov");
 * console.log(job.id);
 * const file = await job;
 * ```
 */
export class Job<R> implements PromiseLike<R> {
  /** There before the node has the job, and good in any process that may talk to the cluster. */
  readonly id: JobId;
  /** `test.add`, or the captured function's name; `job` for one that was made elsewhere. */
  readonly label: string;
  readonly #jobs: JobAccess;
  readonly #realm: object | undefined;
  #known: TrackedJob | undefined;
  #items: RemoteItems | undefined;

  /** @internal */
  constructor({ id, label, realm, tracked }: JobParts, jobs: JobAccess) {
    this.id = id;
    this.label = label;
    this.#realm = realm;
    this.#known = tracked;
    this.#jobs = jobs;
  }

  /** As of a promise. Nothing is thrown before somebody waits: a job that nobody awaits cannot end the process. */
  // oxlint-disable-next-line unicorn/no-thenable -- to be awaited is what a Job is for
  then<A = R, B = never>(
    onValue?: ((value: R) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result().then(onValue, onError);
  }

  /** As of a promise. */
  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<R | B> {
    return this.#result().catch(onError);
  }

  /** As of a promise. */
  finally(onEnd?: (() => void) | null): Promise<R> {
    return this.#result().finally(onEnd);
  }

  /**
   * Cancels the job: one that waits is never begun; in one that runs, the signal of `currentJob()` is aborted, and if it
   * does not stop within the grace, its worker is killed. Whoever awaits it gets `KS_CANCELLED`, unless it was faster.
   *
   * Resolves when the cluster knows, which is before a function that runs has ended; of a job that has ended, or that
   * nobody knows, nothing happens.
   *
   * @param reason is in the message of that error
   * @example
   * ```ts
   * await job.cancel("no longer needed");
   * ```
   */
  async cancel(reason = ""): Promise<void> {
    await this.#jobs.cancel(this.id, this.#known, reason);
  }

  /**
   * Lets go of the job: it goes on, its output is not shown here any more, this process need not live for it, and Ctrl-C does
   * not cancel it. Whoever wants to know asks by its id; to await it here listens to it anew.
   *
   * @returns its id, when the cluster has the job
   * @throws KitchenError with why the cluster does not have it
   * @example
   * ```ts
   * const id = await c.call(trainFor, "8 hours").detach();
   * ```
   */
  async detach(): Promise<JobId> {
    const tracked = this.#known;
    if (tracked === undefined) return this.id;
    await tracked.line.release(tracked);
    return this.id;
  }

  /**
   * Its state, where and when it ran, how often it was begun, how far it is.
   *
   * @throws KitchenError `KS_NO_SUCH_JOB` when its record has expired
   * @example
   * ```ts
   * const { state, node, attempt } = await job.status();
   * ```
   */
  async status(): Promise<JobStatus> {
    await this.#known?.submitted;
    return await this.#jobs.status(this.id);
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
    await this.#known?.submitted;
    return await this.#jobs.explain(this.id);
  }

  /**
   * Runs once more what this job ran that failed or was cancelled: as a new job, in the same queue and with the same priority.
   * It counts as submitted by this client: while it is waited for here, Ctrl-C cancels it.
   *
   * @returns the new job's id
   * @throws KitchenError `KS_USAGE` when the job has not ended, or has succeeded; `KS_NO_SUCH_JOB` when its record has expired;
   *   `KS_STATE_LOST` when its code has; and what a submit throws
   * @example
   * ```ts
   * const again = await c.job(id).retry();
   * const total = await c.job<number>(again);
   * ```
   */
  async retry(): Promise<JobId> {
    await this.#known?.submitted;
    return await this.#jobs.retry(this.id);
  }

  /**
   * Its output from the beginning, and on as it appears, until it ends. A loop that is slower than the job holds the job up,
   * as a full pipe would; one that takes nothing for 10 s does so no longer, and reads on in what is kept.
   *
   * @throws KitchenError `KS_NO_SUCH_JOB` when it has expired, as results do
   * @example
   * ```ts
   * for await (const { stream, text } of c.job(id).output()) process[stream].write(text);
   * ```
   */
  output(): AsyncIterable<Output> {
    return this.#jobs.output(this.id, this.#known?.submitted);
  }

  /**
   * Whether this client submitted it, and does not only look at it; known while it is awaited.
   * @internal
   */
  get isOwn(): boolean {
    return this.#known?.isOwn ?? false;
  }

  // One async function from the wait to the throw: V8 then knows the line that awaits.
  async #result(): Promise<R> {
    const settled = await this.#tracked.settled;
    if (settled.type === "streaming") return this.#streamed(settled.attempt) as R;
    const { access } = this.#jobs;
    const outcome = await outcomeOf(settled, access);
    const realm = this.#realm;
    if (outcome.type === "value") return decodeValue(outcome, { realm, access }) as R;
    if (outcome.type === "ended") return this.#streamed(0) as R;
    const arrival = { where: this.#where, awaiting: awaitingFrames() };
    throw withAccess(access, () => reviveThrown(outcome.error, { ...arrival, realm }));
  }

  /** Of a job that was made elsewhere nothing is followed before somebody wants to know. */
  get #tracked(): TrackedJob {
    if (this.#known?.isReleased !== false) this.#known = this.#jobs.watch(this.id, this.label);
    return this.#known;
  }

  get #where(): string {
    return `${this.label} (job ${this.id})`;
  }

  /** One for all who await the job, as a generator is one object. */
  #streamed(attempt: number): RemoteItems {
    return (this.#items ??= this.#itemsOf(this.#tracked, attempt));
  }

  #itemsOf(tracked: TrackedJob, attempt: number): RemoteItems {
    const { line } = tracked;
    return new RemoteItems({
      reader: line.reader(tracked, attempt),
      ended: () => tracked.untilEnded(),
      abandon: () => void line.cancel(tracked, "its items are lost").catch(() => {}),
      where: this.#where,
      realm: this.#realm,
      access: this.#jobs.access,
    });
  }
}

/** What a notebook shows of it: nothing is waited for. */
async function richJob(this: Job<unknown>): Promise<RichDisplay> {
  const known = await this.status().catch((error: unknown) => String(error));
  if (typeof known === "string") return richTable(`Job ${this.label}`, { id: this.id, state: known });
  const { state, queue, node, attempt, progress, createdAt, startedAt, finishedAt } = known;
  return richTable(`Job ${this.label}`, {
    id: this.id,
    state,
    queue,
    node,
    attempt: attempt > 1 ? String(attempt) : undefined,
    progress: progress && `${progress.done} of ${progress.total ?? "?"} ${progress.label}`.trim(),
    created: createdAt.toISOString(),
    started: startedAt?.toISOString(),
    finished: finishedAt?.toISOString(),
  });
}

Object.defineProperty(Job.prototype, JUPYTER_DISPLAY, { configurable: true, value: richJob });
stopJobs(Job.prototype);
