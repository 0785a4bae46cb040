import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** What a REPL shows when it waits for a line, and for the rest of one. */
const PROMPT = /(^|\n)((> |\.\.\. |\| )+)$/;

/** A REPL in a process of its own, into which lines are typed as a person does: one after the other's answer. */
export class Session {
  readonly #child: ChildProcess;
  #text = "";
  #look = (): void => undefined;

  constructor(node: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
    this.#child = spawn(node, args, { ...options, stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      this.#look();
    });
    this.#child.once("exit", () => this.#look());
  }

  /** What the REPL answers to the last of some lines. */
  async type(lines: string): Promise<string> {
    for (const line of lines.split("\n")) {
      await this.#prompted();
      this.#text = "";
      this.#child.stdin?.write(`${line}\n`);
    }
    await this.#prompted();
    return this.#text.replace(PROMPT, "").trim();
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.stdin?.end();
    await exited;
  }

  async #prompted(): Promise<void> {
    while (!PROMPT.test(this.#text)) {
      if (this.#child.exitCode !== null) throw new Error(`the session ended: ${this.#text}`);
      await new Promise<void>((resolve) => (this.#look = resolve));
    }
  }
}
