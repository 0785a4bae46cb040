import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryDirectory } from "../../support/temporary.ts";
import { ROOT } from "./markdown.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user's folder in which this package is installed; removed when the test ends. */
export function workspace(files: Readonly<Record<string, string>>): string {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "kitchensink"));
  const tsconfig = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: { paths: {}, typeRoots: [join(ROOT, "node_modules", "@types")] },
    include: ["*.ts"],
  };
  const all = { "package.json": '{ "type": "module" }', "tsconfig.json": JSON.stringify(tsconfig), ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  { folder, env = {} }: { folder: string; env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: folder, ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** Runs TypeScript as the README says. */
export function runScript(
  file: string,
  args: readonly string[],
  at: { folder: string; env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  return run(process.execPath, ["--import", "kitchensink/register", file, ...args], at);
}
