// `npm run bench -- [NAME...] [flags]`: measures the project beside others; `--help` says what there is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CONTESTANTS } from "./contestants/list.ts";
import { parseCommandLine, UsageError, type CommandLine } from "./support/arguments.ts";
import { publish } from "./support/report.ts";
import { SUITES } from "./suites.ts";

const known = {
  suites: Object.keys(SUITES),
  all: Object.keys(SUITES).filter((name) => SUITES[name]?.needsRoot !== true),
  contestants: CONTESTANTS.map(({ name }) => name),
};

process.setMaxListeners(0);
// What it started ends with it: an exit is seen, a signal is not.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

try {
  await run(parseCommandLine(process.argv.slice(2), known));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${help()}`);
  process.exitCode = 2;
}

async function run({ suites, options }: CommandLine): Promise<void> {
  if (suites === "help") return console.log(help());
  const [name = "", ...others] = suites;
  if (others.length > 0) return runApart(suites);
  const report = await SUITES[name]!.run(options);
  if (report !== undefined) publish(report, options);
}

/** Each in a process of its own, so that none inherits the memory and the compiled code of the one before. */
async function runApart(suites: readonly string[]): Promise<void> {
  const flags = process.argv.slice(2).filter((arg) => !(arg in SUITES) && arg !== "all");
  for (const name of suites) {
    console.log(`\n— ${name}: ${SUITES[name]!.what}`);
    const args = [...process.execArgv, fileURLToPath(import.meta.url), name, ...flags];
    const child = spawn(process.execPath, args, { stdio: "inherit" });
    const kill = (): void => void child.kill("SIGTERM");
    process.once("exit", kill);
    const [code] = (await once(child, "exit")) as [number | null];
    process.off("exit", kill);
    if (code !== 0) process.exitCode = 1;
  }
}

function help(): string {
  const rows = Object.entries(SUITES).map(
    ([name, { what, needsRoot }]) =>
      `  ${name.padEnd(12)}${what}${needsRoot === true ? " (needs root)" : ""}`,
  );
  return `npm run bench -- [NAME...] [flags]

${rows.join("\n")}
  ${"all".padEnd(12)}all of them but those that need root

  --rounds N       how often everything is measured, in turn (default: 3)
  --only NAME,...  these contestants alone: ${known.contestants.join(", ")}
  --quick          as little as shows that everything works; the figures say nothing
  --save           write bench/results, docs/charts, and the tables of docs/benchmarks.md`;
}
