import { readFile } from "node:fs/promises";

/** What a process has of the machine's memory, in bytes; `null` where the system does not tell it in a file. */
export async function processMemory(pid: number): Promise<number | null> {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "latin1"))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}
