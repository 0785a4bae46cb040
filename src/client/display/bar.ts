import type { Progress } from "../../core/progress.ts";
import stringWidth from "string-width";

/** How far something is, and since when. */
export interface Shown extends Progress {
  /** ms */
  readonly elapsedMs: number;
}

const WIDEST_BAR = 30;
const NARROWEST_BAR = 5;

/** One line of at most so many columns; the bar is what is left of it. */
export function barLine(shown: Shown, columns: number): string {
  const { label, done, total } = shown;
  const name = label === "" ? "" : `${label}  `;
  const facts = factsOf(shown);
  const room = columns - stringWidth(name) - stringWidth(facts) - 4;
  if (total === null || total === 0 || room < NARROWEST_BAR) return `${name}${facts}`;
  const width = Math.min(WIDEST_BAR, room);
  const filled = Math.min(width, Math.floor((width * done) / total));
  return `${name}[${"=".repeat(filled)}${" ".repeat(width - filled)}]  ${facts}`;
}

function factsOf({ done, total, elapsedMs }: Shown): string {
  const amount =
    total === null
      ? count(done)
      : `${String(percent(done, total)).padStart(3)}%  ${count(done)} of ${count(total)}`;
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1_000 : 0;
  if (total === null || perSecond === 0) return `${amount}  ${time(elapsedMs)}`;
  return done >= total
    ? `${amount}  in ${time(elapsedMs)}`
    : `${amount}  ${time(((total - done) / perSecond) * 1_000)} left`;
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
