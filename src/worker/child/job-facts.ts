import type { JobId } from "../../core/ids.ts";
import { KitchenError } from "../../core/errors.ts";
import { type Progress, progressOf } from "../../core/progress.ts";
import type { TraceContext } from "../../core/trace.ts";
import type { CurrentJob } from "./current-job.ts";

/** A loop may say it for each of a million rows. */
const SAY_EVERY_MS = 100;

/** The current job as its function sees it. Its signal is made when somebody asks: most functions never do. */
export class JobFacts implements CurrentJob {
  readonly id: JobId;
  readonly attempt: number;
  readonly node: { readonly name: string; readonly url: string };
  readonly #say: (progress: Progress) => void;
  /** Known when the spec has been read. */
  trace: TraceContext | undefined;
  #controller: AbortController | undefined;
  #unsaid: Progress | undefined;
  #saidAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  /** `say` tells the node how far the job is. */
  constructor(
    { jobId, attempt }: { jobId: JobId; attempt: number },
    node: CurrentJob["node"],
    say: (progress: Progress) => void,
  ) {
    this.id = jobId;
    this.attempt = attempt;
    this.node = node;
    this.#say = say;
  }

  // A function of its own, for who takes it out of the object.
  readonly progress = (done: number, total?: number, label = ""): void => {
    const progress = progressOf(done, total ?? null, label);
    if (typeof progress === "string") throw new KitchenError("KS_USAGE", `Not progress: ${progress}`);
    this.#unsaid = progress;
    const waitMs = this.#saidAtMs + SAY_EVERY_MS - performance.now();
    // Not by a timer alone: a function that keeps the thread busy lets none run.
    if (waitMs <= 0) this.flushProgress();
    else this.#timer ??= setTimeout(() => this.flushProgress(), waitMs).unref();
  };

  /** Says the last of what was not said yet. */
  flushProgress(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#unsaid === undefined) return;
    this.#say(this.#unsaid);
    this.#unsaid = undefined;
    this.#saidAtMs = performance.now();
  }

  get signal(): AbortSignal {
    return this.#ownController.signal;
  }

  abort(reason: Error): void {
    this.#ownController.abort(reason);
  }

  get #ownController(): AbortController {
    return (this.#controller ??= new AbortController());
  }
}
