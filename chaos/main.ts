// `npm run chaos -- [flags]`: random faults under load, and what was promised counted from outside; `--help` says more.
import { randomInt } from "node:crypto";
import { printReport } from "./report.ts";
import { runChaos } from "./run.ts";
import { settingsFrom, USAGE, UsageError } from "./settings.ts";

const SEEDS = 1_000_000;

// What it started ends with it: an exit is seen, a signal is not.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
process.setMaxListeners(0);

try {
  const settings = settingsFrom(process.argv.slice(2), randomInt(SEEDS));
  if (settings === "help") console.log(USAGE);
  else {
    console.log(`seed ${settings.seed}, ${settings.durationMs / 60_000} min, ${settings.nodes} nodes`);
    const begunAt = performance.now();
    const say = (line: string): void => {
      console.log(`${((performance.now() - begunAt) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
    };
    const result = await runChaos(settings, say);
    printReport(result, settings);
    process.exitCode = result.tally.broken.length === 0 ? 0 : 1;
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
