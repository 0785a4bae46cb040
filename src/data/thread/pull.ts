import { setTimeout as sleep } from "node:timers/promises";
import { get } from "../../transfer/get.ts";
import type { Source } from "../../transfer/source.ts";
import type { PullTask } from "./messages.ts";
import { PartFile } from "./part-file.ts";

/** Sources that all failed are asked again after it. */
const PAUSE_MS = 500;
/** How many rounds in a row may bring next to nothing. */
const FRUITLESS_ROUNDS = 2;
const FRUITFUL_BYTES: number = 1024 * 1024;

export interface PullHooks {
  readonly grown: (receivedBytes: number) => void;
  readonly restarted: () => void;
  /** The bytes that are here are not the right ones; they came `from` these places among the sources. */
  readonly damaged: (from: readonly number[]) => void;
  /** `from`: the place among the sources of the one that sent the last bytes; -1: there was nothing to send. */
  readonly verified: (from: number) => void;
}

/** No source gave all bytes as they must be. */
export class SourcesFailed extends Error {}

/** Fetches a part, from one source after the other, until its hash is the right one and the disk has it. */
export async function pull(task: PullTask, hooks: PullHooks, signal: AbortSignal): Promise<void> {
  const part = new PartFile(task.path);
  try {
    const from = await new Pull({ task, hooks, signal, part }).run();
    hooks.verified(from);
    await part.sync();
  } finally {
    await part.close();
  }
}

interface PullParts {
  readonly task: PullTask;
  readonly hooks: PullHooks;
  readonly signal: AbortSignal;
  readonly part: PartFile;
}

class Pull {
  readonly #parts: PullParts;
  readonly #failures = new Map<Source, string>();
  /** Those that sent damaged bytes without anybody's help. */
  readonly #liars = new Set<Source>();
  /** Connections that what we have came from, and their sources: one that begins anew itself may send two editions. */
  #contributions = 0;
  readonly #contributors = new Set<Source>();
  /** Bytes of several connections were damaged, and nobody knows whose: from now on nothing is mixed. */
  #isAlone = false;
  #last: Source | undefined;

  constructor(parts: PullParts) {
    this.#parts = parts;
  }

  /** Gives the place of the last source among all. */
  async run(): Promise<number> {
    while (!(await this.#fill())) {
      this.#isAlone ||= this.#contributions > 1;
      this.#restart();
    }
    return this.#last === undefined ? -1 : this.#parts.task.sources.indexOf(this.#last);
  }

  /** Whether the bytes are right, once they are all there. @throws SourcesFailed when nobody has them */
  async #fill(): Promise<boolean> {
    const { task, part, signal } = this.#parts;
    if (task.size === 0) return this.#isRight();
    for (let fruitless = 0; fruitless < FRUITLESS_ROUNDS;) {
      const before = part.size;
      for (const source of task.sources) {
        if (this.#liars.has(source)) continue;
        if (this.#isAlone) this.#restart();
        if (await this.#fetch(source)) return this.#judge();
      }
      const isFruitful = !this.#isAlone && part.size - before >= FRUITFUL_BYTES;
      fruitless = isFruitful ? 0 : fruitless + 1;
      if (fruitless < FRUITLESS_ROUNDS && this.#liars.size < task.sources.length)
        await sleep(PAUSE_MS, undefined, { signal });
    }
    throw new SourcesFailed(this.#report());
  }

  async #fetch(source: Source): Promise<boolean> {
    const { task, part, hooks, signal } = this.#parts;
    const before = part.size;
    const failure = await get({
      ...task,
      source,
      offset: before,
      signal,
      onBytes: (bytes) => {
        part.write(bytes);
        hooks.grown(part.size);
      },
    });
    if (part.size > before) {
      this.#contributions += 1;
      this.#contributors.add(source);
      this.#last = source;
    }
    if (failure === undefined) return true;
    this.#failures.set(source, failure);
    return false;
  }

  #judge(): boolean {
    if (this.#isRight()) return true;
    const { task, hooks } = this.#parts;
    const contributors = [...this.#contributors];
    if (this.#contributions === 1) for (const only of contributors) this.#liars.add(only);
    hooks.damaged(contributors.map((source) => task.sources.indexOf(source)));
    return false;
  }

  #isRight(): boolean {
    const { task, part } = this.#parts;
    if (part.sha256() === task.sha256) return true;
    if (task.size === 0) throw new SourcesFailed("no data of 0 bytes has this sha256");
    return false;
  }

  #restart(): void {
    const { part, hooks } = this.#parts;
    this.#contributions = 0;
    this.#contributors.clear();
    if (part.size === 0) return;
    part.restart();
    hooks.restarted();
  }

  #report(): string {
    const { sources } = this.#parts.task;
    if (sources.length === 0) return "no node has it";
    return sources
      .map((source) => {
        const why = this.#liars.has(source) ? "sent damaged bytes" : this.#failures.get(source);
        return `${source.shown} ${why ?? "was not asked"}`;
      })
      .join("; ");
  }
}
