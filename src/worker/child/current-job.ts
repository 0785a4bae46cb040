import { AsyncLocalStorage } from "node:async_hooks";
import { shareByName } from "../../capture/resolve/shared.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { TraceContext } from "../../core/trace.ts";

/** What a function can learn of the job it runs in. */
export interface CurrentJob {
  /** That of the job at the caller. */
  readonly id: JobId;
  /** 1 for the first run of this job. */
  readonly attempt: number;
  /** The node that runs it. */
  readonly node: { readonly name: string; readonly url: string };
  /** Aborted when the job is cancelled or its deadline has passed: stop, and throw `signal.reason`. */
  readonly signal: AbortSignal;
  /**
   * Says how far the job is: it is shown as a bar where the job is awaited, and by `job.status()`. Of several calls in a short
   * time the last one counts.
   *
   * @param total of how many; left out: nobody knows
   * @throws KitchenError `KS_USAGE` for what is no number from 0 on
   * @example
   * ```ts
   * for (const [at, row] of rows.entries()) {
   *   handle(row);
   *   currentJob().progress(at + 1, rows.length, "rows");
   * }
   * ```
   */
  readonly progress: (done: number, total?: number, label?: string) => void;
  /** Where the call stands in a trace, to be sent along with requests; undefined when it belongs to none. */
  readonly trace: TraceContext | undefined;
}

export interface Running {
  readonly run: number;
  readonly job: CurrentJob;
  /** Whether values may bring code into this run. */
  readonly mayReviveCode: boolean;
}

// One storage a process, also when the package is loaded twice (once by the worker, once by a module's own copy).
const KEY = Symbol.for("kitchensink.current-job");
const holder = globalThis as { [KEY]?: AsyncLocalStorage<Running> };
const storage = (holder[KEY] ??= new AsyncLocalStorage<Running>());

/** Runs `body` as the given job: {@link currentJob} answers for it, and for everything it starts. */
export function runAs<T>(running: Running, body: () => T): T {
  return storage.run(running, body);
}

/** The run that the calling code belongs to, if any. */
export function currentRun(): number | undefined {
  return storage.getStore()?.run;
}

/** Whether data that the calling code reads may bring code along; not so where captured functions are banned. */
export function mayReviveCode(): boolean {
  return storage.getStore()?.mayReviveCode ?? true;
}

/** The trace of the job that the calling code runs in, if any. */
export function currentTrace(): TraceContext | undefined {
  return storage.getStore()?.job.trace;
}

/**
 * The job that the calling code runs in.
 *
 * @throws KitchenError `KS_USAGE` outside a job
 * @example
 * ```ts
 * await c.call(async () => {
 *   const { id, node, signal } = currentJob();
 *   console.log(`${id} runs on ${node.name}`);
 *   await setTimeout(60_000, undefined, { signal });
 * });
 * ```
 */
export function currentJob(): CurrentJob {
  const running = storage.getStore();
  if (running !== undefined) return running.job;
  throw new KitchenError("KS_USAGE", "Cannot tell the current job: this code does not run in a job");
}

// In a job it means the worker's own, whichever copy of the package a captured function refers to.
shareByName("kitchensink:currentJob", currentJob);
