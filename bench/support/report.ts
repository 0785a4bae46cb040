// What a suite found, and where it goes: to the terminal, and with --save into files and docs/benchmarks.md.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { drawBars, drawLines, type BarChart, type LineChart } from "./charts.ts";
import { replacePlace } from "./document.ts";
import { describeMachine, machineLine, type Machine } from "./machine.ts";
import { markdown, medianAndRange, wrap, type Table } from "./table.ts";

export interface Report {
  /** Of the suite, and so of `bench/results/<suite>.json`. */
  readonly suite: string;
  readonly tables: readonly Table[];
  readonly bars?: readonly BarChart[];
  readonly lines?: readonly LineChart[];
  /** All that was measured, round by round, for the file. */
  readonly measured: unknown;
  /** Of whatever took part, by its name. */
  readonly versions?: Readonly<Record<string, string>>;
  /** What `referenceWork()` took in each round, in ms. */
  readonly referenceMs?: readonly number[];
  /** Contestants that were not there, with the way to them. */
  readonly skipped?: readonly string[];
}

const ROOT = new URL("../../", import.meta.url);
const PAGE = "docs/benchmarks.md";

/** Prints the report. With `save` it goes into the files as well; each table into its place in docs/benchmarks.md. */
export function publish(report: Report, { save }: { readonly save: boolean }): void {
  const machine = describeMachine(report.versions);
  for (const table of report.tables) console.log(`\n${table.name}\n\n${markdown(table)}`);
  for (const line of report.skipped ?? []) console.log(`\nSkipped: ${line}`);
  console.log(`\n${circumstances(report, machine)}`);
  // All are made in any case: what would not fit into the page is known before anybody measures for long.
  for (const [path, text] of filesOf(report, machine)) if (save) write(path, text);
}

function write(path: string, text: string): void {
  const file = new URL(path, ROOT);
  mkdirSync(new URL("./", file), { recursive: true });
  writeFileSync(file, text);
  console.log(`Written: ${path}`);
}

/** By their paths in the project. */
function filesOf(report: Report, machine: Machine): Map<string, string> {
  const { suite, tables, bars = [], lines = [], measured, referenceMs, skipped } = report;
  const record = { suite, machine, referenceMs, skipped, tables, measured };
  const subtitle = machineLine(machine);
  return new Map([
    [`bench/results/${suite}.json`, `${JSON.stringify(record, undefined, 2)}\n`],
    [PAGE, pageWith(report, machine)],
    ...bars.map((chart) => [`docs/charts/${chart.file}.svg`, drawBars({ subtitle, ...chart })] as const),
    ...lines.map((chart) => [`docs/charts/${chart.file}.svg`, drawLines({ subtitle, ...chart })] as const),
  ]);
}

function pageWith(report: Report, machine: Machine): string {
  let page = readFileSync(new URL(PAGE, ROOT), "utf8");
  for (const table of report.tables) page = replacePlace(page, table.name, markdown(table));
  return replacePlace(page, `${report.suite}: machine`, wrap(circumstances(report, machine), 120));
}

function circumstances({ referenceMs = [] }: Report, machine: Machine): string {
  const noise =
    referenceMs.length === 0
      ? ""
      : ` Work that is always the same took ${medianAndRange(referenceMs)} ms in these rounds.`;
  return `${machineLine(machine)}.${noise}`;
}
