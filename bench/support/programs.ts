// Programs that benchmarks run beside the project: whether they are there, of which version, and how they are run.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const REGISTER = fileURLToPath(new URL("../../dist/register.js", import.meta.url));
const PYTHONS = [process.env["PYTHON"], "python3", "/usr/bin/python3"].filter((name) => name !== undefined);

/** The command for a program in TypeScript. */
export function tsProgram(file: string, ...args: readonly string[]): readonly string[] {
  return [process.execPath, "--import", REGISTER, file, ...args];
}

/** The version of a package of npm that is installed here. */
export function packageVersion(name: string): string {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const path of paths)
    try {
      const { version } = JSON.parse(readFileSync(`${path}/${name}/package.json`, "utf8")) as {
        version: string;
      };
      return version;
    } catch {
      // It may be in the next folder up.
    }
  throw new Error(`The package ${name} is not installed: npm ci`);
}

export interface Python {
  readonly command: string;
  /** Of the module. */
  readonly version: string;
}

const known = new Map<string, Python | undefined>();

/** A Python that has the module; undefined when there is none. */
export function pythonWith(module: string): Python | undefined {
  if (!known.has(module)) known.set(module, find(module));
  return known.get(module);
}

function find(module: string): Python | undefined {
  const program = `import ${module}; from importlib.metadata import version; print(version("${module}"))`;
  for (const command of PYTHONS)
    try {
      const said = execFileSync(command, ["-c", program], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      return { command, version: said.trim() };
    } catch {
      // Another Python may have it.
    }
  return undefined;
}

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
