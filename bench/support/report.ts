// What a suite found, and where it goes: to the terminal, and with --save into files and docs/benchmarks.md.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { drawBars, drawLines, type BarChart, type LineChart } from "./charts.ts";
import { replacePlace } from "./document.ts";
import { describeMachine, machineLine, type Machine } from "./machine.ts";
import { markdown, medianAndRange, type Table } from "./table.ts";

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

const RESULTS = new URL("../results/", import.meta.url);
const PAGE = new URL("../../docs/benchmarks.md", import.meta.url);

/** Prints the report. With `save` it goes into the files as well; each table into its place in docs/benchmarks.md. */
export function publish(report: Report, { save }: { readonly save: boolean }): void {
  const machine = describeMachine(report.versions);
  for (const table of report.tables) console.log(`\n${table.name}\n\n${markdown(table)}`);
  for (const line of report.skipped ?? []) console.log(`\nSkipped: ${line}`);
  console.log(`\n${circumstances(report, machine)}`);
  if (save) for (const path of saveAll(report, machine)) console.log(`Written: ${path}`);
}

function saveAll(report: Report, machine: Machine): string[] {
  const { suite, tables, bars = [], lines = [], measured, referenceMs, skipped } = report;
  mkdirSync(RESULTS, { recursive: true });
  const results = new URL(`${suite}.json`, RESULTS);
  const record = { suite, machine, referenceMs, skipped, tables, measured };
  writeFileSync(results, `${JSON.stringify(record, undefined, 2)}\n`);
  let page = readFileSync(PAGE, "utf8");
  for (const table of tables) page = replacePlace(page, table.name, markdown(table));
  page = replacePlace(page, `${suite}: machine`, wrap(circumstances(report, machine)));
  writeFileSync(PAGE, page);
  const subtitle = machineLine(machine);
  return [
    fileURLToPath(results),
    fileURLToPath(PAGE),
    ...bars.map((chart) => drawBars({ subtitle, ...chart })),
    ...lines.map((chart) => drawLines({ subtitle, ...chart })),
  ];
}

function circumstances({ referenceMs = [] }: Report, machine: Machine): string {
  const noise =
    referenceMs.length === 0
      ? ""
      : ` Work that is always the same took ${medianAndRange(referenceMs)} ms in these rounds.`;
  return `${machineLine(machine)}.${noise}`;
}

/** To lines of at most 120 characters, as the pages have them. */
function wrap(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 119) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}
