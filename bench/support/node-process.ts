// Starts a node as users do, as a process of its own, for benchmarks.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface BenchNode {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** The most memory that the process has had, in MB. */
  peakMB(): number;
  stop(): Promise<void>;
}

/** With two workers and a free port, unless the flags say otherwise. `prefix`: what the command begins with. */
export async function startBenchNode(
  flags: readonly string[],
  prefix: readonly string[] = [],
): Promise<BenchNode> {
  const directory = mkdtempSync(join(tmpdir(), "kitchensink-bench-"));
  const tokenFile = join(directory, "token");
  const token = "a-token-for-benchmarks-alone-0123456789";
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const own = ["--datadir", join(directory, "data"), "--node-port", "0", "--token-file", tokenFile];
  const [command = "", ...args] = [
    ...prefix,
    process.execPath,
    MAIN,
    "start",
    ...own,
    "--num-workers",
    "2",
    ...flags,
  ];
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await urlOf(child);
  return {
    url,
    token,
    pid: child.pid!,
    peakMB: () => {
      const [, kib = "0"] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
      return (Number(kib) * 1024) / 1e6;
    },
    stop: async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function urlOf(child: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.once("exit", () => reject(new Error(`The node did not start:\n${said}`)));
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const [, url] = /url +(\S+)[\s\S]*Ctrl-C stops it/.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
}
