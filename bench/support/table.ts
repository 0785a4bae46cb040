// Tables of figures, as text for people and as Markdown alike.
import { median, rangeOf } from "./statistics.ts";

export interface Table {
  /** By which docs/benchmarks.md refers to it. */
  readonly name: string;
  readonly columns: readonly string[];
  /** Numbers are shown with three significant digits, and stand on the right. */
  readonly rows: readonly (readonly Cell[])[];
}

export type Cell = string | number;

/** `7.25`, `51,500`: three significant digits are more than a shared machine can vouch for. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const rounded = Number(value.toPrecision(3));
  const decimals = rounded === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  const digits = Number.isInteger(value) ? 0 : Math.min(decimals, 4);
  return rounded.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `51,500 (48,200 to 53,000)`: the median of the rounds, and their range when there are several. */
export function medianAndRange(
  values: readonly number[],
  format: (value: number) => string = figure,
): string {
  const { lowest, highest } = rangeOf(values);
  const middle = format(median(values));
  return values.length === 1 ? middle : `${middle} (${format(lowest)} to ${format(highest)})`;
}

/** The table in Markdown, its columns aligned so that it can be read as it is. */
export function markdown({ columns, rows }: Table): string {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === "number" ? figure(cell) : cell)));
  const widths = columns.map((column, at) =>
    Math.max(3, column.length, ...texts.map((row) => (row[at] ?? "").length)),
  );
  const isRight = columns.map((_, at) => rows.length > 0 && rows.every((row) => isFigure(row[at])));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (isRight[at] ? (cells[at] ?? "").padStart(width) : (cells[at] ?? "").padEnd(width))).join(" | ")} |`;
  const rule = widths.map((width, at) => (isRight[at] ? `${"-".repeat(width + 1)}:` : "-".repeat(width + 2)));
  return [line(columns), `|${rule.join("|")}|`, ...texts.map(line)].join("\n");
}

/** To lines of at most so many characters, where words allow it. */
export function wrap(text: string, width: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}

function isFigure(cell: Cell | undefined): boolean {
  return typeof cell !== "string" || /^(|–|-?[\d.,]+( ×| \(.*\))?)$/.test(cell);
}
