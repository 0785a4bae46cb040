import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "kitchensink";
import { onTestFinished } from "vitest";
import { readToken } from "../../src/client/connection/token.ts";
import { temporaryDirectory } from "./temporary.ts";

export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end. */
export async function runCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  const command = new RunningCommand(args, env);
  onTestFinished(() => command.kill());
  const code = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

export class RunningCommand {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout = "";
  stderr = "";

  /** `main`: the command's file, of another build than this one. */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, main: string = MAIN) {
    this.child = spawn(process.execPath, [main, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = once(this.child, "close").then(([code]: unknown[]) => code as number | null);
  }

  /** Resolves when stdout holds the text; rejects when the command ends before. */
  async says(text: string | RegExp): Promise<void> {
    const hasIt = (): boolean =>
      typeof text === "string" ? this.stdout.includes(text) : text.test(this.stdout);
    if (hasIt()) return;
    await new Promise<void>((resolve, reject) => {
      this.child.stdout?.on("data", () => {
        if (hasIt()) resolve();
      });
      void this.exited.then((code) =>
        reject(new Error(`ended with ${code} before it said ${text}:\n${this.stdout}${this.stderr}`)),
      );
    });
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
  }
}

export interface NodeProcess extends RunningCommand {
  readonly url: string;
  readonly token: string;
  readonly directory: string;
}

/** Starts a node as a user would, in a directory of its own, on a free port; ends it with the test. */
export async function startNodeProcess(
  flags: readonly string[] = ["--embedded"],
  env: NodeJS.ProcessEnv = {},
): Promise<NodeProcess> {
  const directory = temporaryDirectory();
  const given = flags.indexOf("--token-file");
  const tokenFile = (given < 0 ? undefined : flags[given + 1]) ?? join(directory, "token");
  const command = new RunningCommand(
    [
      "start",
      "--datadir",
      join(directory, "data"),
      "--node-port",
      "0",
      "--token-file",
      tokenFile,
      "--num-workers",
      "1",
      ...flags,
    ],
    env,
  );
  onTestFinished(async () => {
    command.kill("SIGTERM");
    const timer = setTimeout(() => command.kill(), 5_000);
    await command.exited;
    clearTimeout(timer);
  });
  await command.says(flags.includes("--json") ? "}\n" : "Ctrl-C stops it");
  const url = /(?:url +|"url":")(http:[^\s"]+)/.exec(command.stdout)?.[1] ?? "";
  return Object.assign(command, { url, directory, token: readToken(tokenFile) ?? "" });
}

/** Whether a process of this id lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Resolves when none of these processes lives any more; rejects after `timeoutMs`. */
export async function gone(pids: readonly number[], timeoutMs = 3_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (pids.some(isAlive)) {
    if (Date.now() > deadline)
      throw new Error(`still alive after ${timeoutMs} ms: ${pids.filter(isAlive).join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A client of a node process, closed with the test. */
export function clientOf({ url, token }: { url: string; token: string }): Client {
  const client = new Client(url, { token, output: "off" });
  onTestFinished(() => client.close());
  return client;
}
