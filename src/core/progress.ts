/** How far a job says that it is. */
export interface Progress {
  /** In whatever the function counts. */
  readonly done: number;
  /** Of how many; `null`: it does not know. */
  readonly total: number | null;
  /** What it does, for people; `""` for nothing. */
  readonly label: string;
}

const MOST_LABEL = 200;

/** As a function gave it, or what is wrong with it. */
export function progressOf(done: unknown, total: unknown, label: unknown): Progress | string {
  if (!isAmount(done)) return `done is ${shown(done)} (expected a number from 0 on)`;
  if (total !== null && !isAmount(total)) return `total is ${shown(total)} (expected a number from 0 on)`;
  if (typeof label !== "string") return `the label is a ${typeof label} (expected a text)`;
  return { done, total, label: label.slice(0, MOST_LABEL) };
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : `a ${typeof value}`;
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
