import { printable } from "../../core/printable.ts";
import type { Progress } from "../../core/progress.ts";
import { showBytes } from "../../core/show-bytes.ts";
import stringWidth from "string-width";

/** How far something is. */
export interface Amount extends Progress {
  /** What `done` and `total` count. Default: whatever the label says. */
  readonly unit?: "bytes";
}

/** How far something is, and since when. */
export interface Shown extends Amount {
  /** ms */
  readonly elapsedMs: number;
}

const WIDEST_BAR = 30;
const NARROWEST_BAR = 5;

/** One line of at most so many columns; the bar is what is left of it. */
export function barLine(shown: Shown, columns: number): string {
  const { label, done, total } = shown;
  const name = label === "" ? "" : `${printable(label)}  `;
  const facts = factsOf(shown);
  const room = columns - stringWidth(name) - stringWidth(facts) - 4;
  if (total === null || total === 0 || room < NARROWEST_BAR) return endOf(`${name}${facts}`, columns);
  const width = Math.min(WIDEST_BAR, room);
  const filled = Math.min(width, Math.floor((width * done) / total));
  return `${name}[${"=".repeat(filled)}${" ".repeat(width - filled)}]  ${facts}`;
}

/** The end says more than the beginning, which is a name. */
function endOf(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  const parts = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment);
  let [text, width] = ["", 0];
  for (const part of parts.toReversed()) {
    width += stringWidth(part);
    if (width > columns - 1) break;
    text = part + text;
  }
  return `…${text}`;
}

function factsOf({ done, total, elapsedMs, unit }: Shown): string {
  const show = unit === "bytes" ? showBytes : count;
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1_000 : 0;
  const amount =
    total === null
      ? show(done)
      : `${String(percent(done, total)).padStart(3)}%  ${show(done)} of ${show(total)}`;
  const speed = unit === "bytes" && perSecond > 0 ? `  ${show(perSecond)}/s` : "";
  return `${amount}${speed}  ${timeOf({ done, total, elapsedMs }, perSecond)}`;
}

function timeOf({ done, total, elapsedMs }: Omit<Shown, "label">, perSecond: number): string {
  if (total === null || perSecond === 0) return time(elapsedMs);
  return done >= total ? `in ${time(elapsedMs)}` : `${time(((total - done) / perSecond) * 1_000)} left`;
}

function percent(done: number, total: number): number {
  return total === 0 ? 100 : Math.min(100, Math.floor((done / total) * 100));
}

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

function count(value: number): string {
  return numbers.format(value);
}

function time(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
