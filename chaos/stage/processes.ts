// What /proc tells of processes.
import { readdirSync, readFileSync } from "node:fs";
import { descendantsOf } from "../../bench/support/processes.ts";

/** A process that is not there any more hears nothing. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** The workers of a node; the shell that guards them is none. */
export function workersOf(pid: number): number[] {
  return pid === 0
    ? []
    : descendantsOf(pid).filter((child) => read(child, "cmdline").includes("worker/child/entry"));
}

/** When it was started, in ticks since the machine was; undefined when it is not there, or has ended. */
export function startOf(pid: number): string | undefined {
  // What follows the name in parentheses begins with field 3, the state; field 22 is the start.
  const fields = read(pid, "stat").split(") ").at(-1)?.split(" ") ?? [];
  return fields[0] === "Z" ? undefined : fields[19];
}

export function commandOf(pid: number): string {
  return read(pid, "cmdline").replaceAll("\0", " ").trim();
}

/** How many files, sockets and pipes it has open. */
export function openFilesOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return Number.NaN;
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
