import type { ChildProcess } from "node:child_process";
import { spawnProcess, type WorkerProcessOptions } from "./spawn-process.ts";

/**
 * Processes of workers that start while their node still loads. Until somebody takes them they do nothing, and end by
 * themselves when this process does, because their channel closes.
 */
export class EarlyProcesses {
  readonly #waiting: ChildProcess[] = [];

  constructor(options: WorkerProcessOptions, count: number) {
    try {
      for (let started = 0; started < count; started += 1) this.#waiting.push(spawnProcess(options));
    } catch {
      // Whoever takes its place says why a process cannot be started.
    }
    for (const child of this.#waiting) child.on("error", () => {});
  }

  /** One that is alive, which is the caller's from then on. */
  take(): ChildProcess | undefined {
    for (let child = this.#waiting.shift(); child !== undefined; child = this.#waiting.shift())
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) return child;
    return undefined;
  }

  /** Ends those that nobody took. */
  close(): void {
    for (let child = this.take(); child !== undefined; child = this.take()) child.kill("SIGKILL");
  }
}
