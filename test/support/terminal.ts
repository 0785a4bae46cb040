/** Programs on a terminal of their own, as a person sees them: keys go in, and there is a screen to look at. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import xterm from "@xterm/headless";
import { expect, onTestFinished } from "vitest";
import { temporaryDirectory } from "./temporary.ts";

/** Of util-linux: runs a command on a terminal of its own, and passes on what it reads as keys. */
const SCRIPT = "script";
const COLUMNS = 80;
const ROWS = 24;

export interface TerminalOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Default: a fresh one. */
  readonly folder?: string;
}

/** Whether there can be a terminal here. */
export function hasTerminal(): boolean {
  return spawnSync(SCRIPT, ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;
}

export class Terminal {
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #screen = new xterm.Terminal({
    cols: COLUMNS,
    rows: ROWS,
    allowProposedApi: true,
    scrollback: 1_000,
  });

  /** Ends with the test. */
  constructor(command: readonly string[], { env = {}, folder = temporaryDirectory() }: TerminalOptions = {}) {
    const line = `stty cols ${COLUMNS} rows ${ROWS}; exec ${command.map(quoted).join(" ")}`;
    this.#child = spawn(SCRIPT, ["-qec", line, "/dev/null"], {
      cwd: folder,
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        TERM: "xterm-256color",
        LANG: "C.UTF-8",
        SHELL: "/bin/sh",
        HISTFILE: "/dev/null",
        ...env,
      },
    });
    this.#child.stdout?.on("data", (bytes: Buffer) => this.#screen.write(bytes));
    // What programs ask of a terminal, it answers by keys.
    this.#screen.onData((answer) => this.type(answer));
    this.exited = once(this.#child, "close").then(([code]: unknown[]) => code as number | null);
    onTestFinished(async () => {
      this.#child.kill("SIGKILL");
      await this.exited;
      this.#screen.dispose();
    });
  }

  /** Presses keys. */
  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Closes it, as a window or a connection by ssh: what runs there gets a SIGHUP. */
  close(): void {
    this.#child.kill("SIGKILL");
  }

  /** What stands there, with what has scrolled away above it, without empty lines at the end. */
  text(): string {
    const { active } = this.#screen.buffer;
    const lines = Array.from(
      { length: active.length },
      (_, at) => active.getLine(at)?.translateToString(true) ?? "",
    );
    return lines.join("\n").trimEnd();
  }

  /** Resolves when the screen has it. */
  async shows(expected: string | RegExp, timeoutMs = 15_000): Promise<void> {
    const matcher =
      typeof expected === "string" ? expect.stringContaining(expected) : expect.stringMatching(expected);
    await expect.poll(() => this.text(), { timeout: timeoutMs }).toEqual(matcher);
  }
}

export const KEYS = {
  ctrlC: "\u0003",
  ctrlU: "\u0015",
  ctrlD: "\u0004",
  tab: "\t",
  enter: "\r",
  left: "\u001b[D",
  end: "\u001b[F",
} as const;

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
