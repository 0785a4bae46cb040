// A process that runs until something happens to it, with all that it says in a file.
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { descendantsOf } from "../../bench/support/processes.ts";
import { signal } from "./processes.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly args: readonly string[];
  readonly logFile: string;
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A Node process of the stage's own; it ends with this one. */
export class Child {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #said = "";

  constructor({ args, logFile, folder, env = {} }: ChildOptions) {
    this.#child = spawn(process.execPath, [...args], {
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    });
    const log = createWriteStream(logFile, { flags: "a" });
    log.write(`\n— ${new Date().toISOString()} pid ${this.pid}\n`);
    this.#child.stdout?.on(
      "data",
      (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-4_096)),
    );
    for (const pipe of [this.#child.stdout, this.#child.stderr]) pipe?.pipe(log, { end: false });
    this.#child.stdin?.on("error", () => {});
    // With all that it started: what is frozen cannot end by itself.
    const kill = (): void => {
      for (const pid of [this.pid, ...descendantsOf(this.pid)]) signal(pid, "SIGKILL");
    };
    process.once("exit", kill);
    this.exited = once(this.#child, "close").then(([code, endedBy]: unknown[]) => {
      process.off("exit", kill);
      log.end(`— ${new Date().toISOString()} ended: ${String(endedBy ?? code)}\n`);
      return { code, signal: endedBy } as Exit;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Resolves when stdout has said it; false when the process ended before. */
  async says(text: string): Promise<boolean> {
    const isEnded = this.exited.then(() => true);
    while (!this.#said.includes(text)) {
      const more = once(this.#child.stdout!, "data").then(() => false);
      if (await Promise.race([more, isEnded])) return this.#said.includes(text);
    }
    return true;
  }
}
