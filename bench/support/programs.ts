// Programs that benchmarks run beside the project.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** What a program says of its version; undefined when it is not there. */
export function versionOf(program: string, args: readonly string[], version: RegExp): string | undefined {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  return error === undefined ? version.exec(`${stdout}${stderr}`)?.[1] : undefined;
}

/** Runs a program to its end. @throws Error with what it said when it failed */
export async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} failed (${code}): ${said.trim()}`);
}
