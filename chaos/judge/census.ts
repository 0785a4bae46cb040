// All processes that nodes have ever started, so that none is forgotten when its node is gone.
import { descendantsOf } from "../../bench/support/processes.ts";
import { commandOf, startOf } from "../stage/processes.ts";

export class Census {
  /** By their ids, when they were started: another process may have the id by now. */
  readonly #known = new Map<number, string>();

  take(pids: readonly number[]): void {
    for (const pid of pids) for (const one of pid === 0 ? [] : [pid, ...descendantsOf(pid)]) this.#note(one);
  }

  /** Those that still live. */
  living(): string[] {
    return [...this.#known]
      .filter(([pid, start]) => startOf(pid) === start)
      .map(([pid]) => `${pid} ${commandOf(pid).slice(0, 100)}`);
  }

  #note(pid: number): void {
    const start = startOf(pid);
    if (start !== undefined) this.#known.set(pid, start);
  }
}
