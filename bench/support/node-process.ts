// Starts a node as users do, as a process of its own, for benchmarks.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { memoryMB, startProgram } from "./processes.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface BenchNode {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** From its spawn until it said that it is ready. */
  readonly readyMs: number;
  /** The most memory that the process has had, in MB. */
  peakMB(): number;
  stop(): Promise<void>;
}

export interface NodeCommand {
  /** What the command begins with. */
  readonly prefix?: readonly string[];
  /** For Node.js itself. */
  readonly nodeFlags?: readonly string[];
}

/** With two workers and a free port, unless the flags say otherwise. */
export async function startBenchNode(
  flags: readonly string[],
  { prefix = [], nodeFlags = [] }: NodeCommand = {},
): Promise<BenchNode> {
  const directory = mkdtempSync(join(tmpdir(), "kitchensink-bench-"));
  const tokenFile = join(directory, "token");
  const token = "a-token-for-benchmarks-alone-0123456789";
  writeFileSync(tokenFile, token, { mode: 0o600 });
  // What still runs when a benchmark ends is of no use.
  const limits = ["--num-workers", "2", "--grace", "0s"];
  const own = ["--datadir", join(directory, "data"), "--node-port", "0", "--token-file", tokenFile];
  const start = [process.execPath, ...nodeFlags, MAIN, "start", ...own, ...limits, ...flags];
  const [command = "", ...args] = [...prefix, ...start];
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  process.once("exit", remove);
  const { pid, said, readyMs, stop } = await startProgram({ command, args, ready: /Ctrl-C stops it/ });
  return {
    url: /url +(\S+)/.exec(said)?.[1] ?? "",
    token,
    pid,
    readyMs,
    peakMB: () => memoryMB(pid, "peak"),
    stop: async () => {
      await stop();
      process.off("exit", remove);
      remove();
    },
  };
}
