// Dask's scatter and gather, by way of a Python that has it.
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Python } from "../support/programs.ts";

const PROGRAM = fileURLToPath(new URL("scatter.py", import.meta.url));
/** A cluster of three workers, each a process. Ends with this process. */
export class Dask {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static async start({ command }: Python): Promise<Dask> {
    const child = spawn(command, [PROGRAM]);
    child.stderr.pipe(process.stderr);
    const dask = new Dask(child);
    await dask.#line();
    return dask;
  }

  /** Scatters and gathers bytes once: how long each took, in seconds. */
  async roundtrip(bytes: number): Promise<{ readonly scatter: number; readonly gather: number }> {
    const { scatter, gather } = await this.#ask({ op: "roundtrip", bytes });
    return { scatter: Number(scatter), gather: Number(gather) };
  }

  /** Scatters bytes to all three workers: how long it took, in seconds. */
  async broadcast(bytes: number): Promise<number> {
    return Number((await this.#ask({ op: "broadcast", bytes }))["broadcast"]);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin.end();
    await ended;
  }

  async #ask(request: object): Promise<Readonly<Record<string, unknown>>> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return JSON.parse(await this.#line()) as Record<string, unknown>;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("Dask ended");
    return value;
  }
}
