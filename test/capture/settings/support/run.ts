import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../../../src/testing/start-cluster.ts";
import type { Installation } from "./installation.ts";
import type { Files } from "./programs.ts";

export interface Failure {
  readonly isOwn: boolean;
  readonly isRange: boolean;
  readonly isError: boolean;
  readonly item?: string;
  readonly message: string;
  readonly stack: string;
}

/** What `program.ts` found in its setting. */
export interface Report {
  readonly before: number;
  readonly after: number;
  readonly sold: number;
  readonly soldHere: number;
  readonly taxed: number;
  readonly packaged: number;
  readonly compiled: string;
  /** Bytes of a small captured function. */
  readonly size: number;
  readonly list: unknown;
  readonly kinds: readonly boolean[];
  readonly own: Failure;
  readonly builtIn: Failure;
}

export interface Setting {
  readonly files: Files;
  /** Arguments of each Node process, one after the other. */
  readonly commands: readonly (readonly string[])[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface Place {
  readonly installation: Installation;
  readonly cluster: Cluster;
  readonly node: string;
}

/** Writes the files of a setting into a folder of their own and runs its commands there. */
export async function runSetting(
  { files, commands, env }: Setting,
  { installation, cluster, node }: Place,
): Promise<{ folder: string; report: Report }> {
  const folder = mkdtempSync(join(installation.folder, "setting-"));
  mkdirSync(join(folder, "out"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const reportFile = join(folder, "report.json");
  for (const args of commands) {
    await runNode(node, args, {
      cwd: folder,
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        SETTING_URL: cluster.urls[0],
        SETTING_REPORT: reportFile,
        KITCHENSINK_TOKEN: cluster.token,
        ...env,
      },
    });
  }
  return { folder, report: JSON.parse(readFileSync(reportFile, "utf8")) as Report };
}

/** @throws Error with all output when the process does not end well */
export async function runNode(
  node: string,
  args: readonly string[],
  { cwd, env, input = "" }: { cwd: string; env: NodeJS.ProcessEnv; input?: string },
): Promise<string> {
  const child = spawn(node, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => undefined).end(input);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0) return stdout;
  throw new Error(`${node} ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
}
