// CPU time of processes: less disturbed by others on the machine than time by the clock.
import { readFileSync } from "node:fs";

const TICKS_A_SECOND = 100;

/** What processes have used so far, in CPU seconds; NaN where there is no /proc. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOf(`/proc/${pid}/stat`), 0);
}

function cpuOf(path: string): number {
  const text = read(path);
  // The name of the program may hold anything but ends with the last bracket.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? NaN) + Number(fields[12] ?? NaN)) / TICKS_A_SECOND;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
