import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { KitchenError } from "../core/errors.ts";
import { packageUrl } from "../core/own-code.ts";
import { PartWriter } from "./part-writer.ts";
import type { PullHooks } from "./thread/pull.ts";
import type { FromThread, HashedFile, PullTask, ToThread } from "./thread/messages.ts";
import { ThreadError } from "./thread-error.ts";

/** The thread always runs the built package. */
const ENTRY = fileURLToPath(packageUrl("dist/data/thread/entry.js"));

/** What the thread was asked for. `end` is called once, also when the thread dies; nothing is called after it. */
export interface ThreadTask {
  readonly onMessage: (message: FromThread) => void;
  readonly end: (failure: Error) => void;
}

/** The one thread of a data directory, started when it is first needed, and again when it died. */
export class DataThread {
  readonly #entry: string;
  #worker: Worker | undefined;
  #isClosed = false;
  #lastTask = 0;
  readonly #tasks = new Map<number, ThreadTask>();

  constructor(entry: string = ENTRY) {
    this.#entry = entry;
  }

  /** Hashes a regular file. Rejects with a {@link ThreadError}. */
  async hash(path: string, signal?: AbortSignal): Promise<HashedFile> {
    let hashed: HashedFile | undefined;
    await this.#run({
      signal,
      begin: (task) => ({ type: "hash", task, path }),
      onMessage: (message) => {
        if (message.type === "hashed") hashed = message.file;
      },
    });
    return hashed as HashedFile;
  }

  /** Fetches a part; its file is there from the first byte on. Rejects with a {@link ThreadError}. */
  async pull(pull: PullTask, hooks: PullHooks, signal: AbortSignal): Promise<void> {
    await this.#run({
      signal,
      begin: (task) => ({ type: "pull", task, pull }),
      onMessage: (message) => {
        if (message.type === "grown") hooks.grown(message.receivedBytes);
        else if (message.type === "restarted") hooks.restarted();
        else if (message.type === "damaged") hooks.damaged(message.from);
        else if (message.type === "verified") hooks.verified(message.from);
      },
    });
  }

  /** Begins a part that is written piece by piece. */
  openPart(path: string): PartWriter {
    return new PartWriter(path, (handlers) => {
      const task = this.#begin(handlers);
      return { task, send: (message, transfer) => this.#post(message, transfer) };
    });
  }

  /** Ends the thread; whoever waits for it hears of it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failAll(ended("this node is stopping"));
    await worker?.terminate();
  }

  #run({ begin, onMessage, signal }: RunOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const stop = (): void => this.#post({ type: "stop", task });
      const settle = (how: () => void): void => {
        signal?.removeEventListener("abort", stop);
        how();
      };
      const task = this.#begin({
        onMessage: (message) => {
          onMessage(message);
          if (message.type === "hashed" || message.type === "pulled") settle(resolve);
        },
        end: (failure) => settle(() => reject(failure)),
      });
      signal?.addEventListener("abort", stop, { once: true });
      this.#post(begin(task));
    });
  }

  #begin(handlers: ThreadTask): number {
    const task = ++this.#lastTask;
    this.#tasks.set(task, handlers);
    if (this.#isClosed) queueMicrotask(() => this.#end(task, ended("this node is stopping")));
    else this.#start();
    return task;
  }

  #post(message: ToThread, transfer: ArrayBuffer[] = []): void {
    // Tasks of a thread that died have been told.
    if (this.#tasks.has(message.task)) this.#worker?.postMessage(message, transfer);
  }

  #start(): void {
    if (this.#worker !== undefined) return this.#worker.ref();
    const worker = new Worker(this.#entry, { execArgv: [], name: "kitchensink-data" });
    this.#worker = worker;
    let cause: unknown;
    worker.on("message", (message: FromThread) => this.#receive(message));
    worker.once("error", (error) => {
      cause = error;
    });
    worker.once("exit", (code) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const why = cause instanceof Error ? cause.message : `exit code ${code}`;
      this.#failAll(ended(`the thread that moves data ended (${why}); try again`, cause));
    });
  }

  #receive(message: FromThread): void {
    const task = this.#tasks.get(message.task);
    if (task === undefined) return;
    if (message.type === "failed") return this.#end(message.task, new ThreadError(message.failure));
    if (isLast(message)) this.#forget(message.task);
    task.onMessage(message);
  }

  #failAll(error: KitchenError): void {
    for (const task of Array.from(this.#tasks.keys())) this.#end(task, error);
  }

  #end(task: number, error: Error): void {
    const handlers = this.#tasks.get(task);
    this.#forget(task);
    handlers?.end(error);
  }

  #forget(task: number): void {
    this.#tasks.delete(task);
    // An idle thread keeps nobody's process alive.
    if (this.#tasks.size === 0) this.#worker?.unref();
  }
}

interface RunOptions {
  readonly begin: (task: number) => ToThread;
  readonly onMessage: (message: FromThread) => void;
  readonly signal?: AbortSignal | undefined;
}

function isLast({ type }: FromThread): boolean {
  return type === "hashed" || type === "pulled" || type === "sealed";
}

function ended(why: string, cause?: unknown): KitchenError {
  return new KitchenError("KS_DATA_UNAVAILABLE", `Cannot take or check data: ${why}`, { cause });
}
