// Processes that a benchmark starts, and what they use. None of them outlives the benchmark.
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** What it says, on stdout or stderr, when it can be used. */
  readonly ready: RegExp;
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningProgram {
  readonly pid: number;
  /** What it said until it was ready. */
  readonly said: string;
  /** From its spawn until it was ready. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

const STOP_MS = 10_000;
/** What /proc counts in, on every Linux. */
const TICKS_A_SECOND = 100;

/** Starts a program, and resolves when it says that it is ready. @throws when it ends before, with what it said */
export async function startProgram({ command, args, ready, folder, env }: Program): Promise<RunningProgram> {
  const begunAt = performance.now();
  const child = spawn(command, [...args], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, ...env },
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  const { stop } = supervise(child);
  try {
    const said = await saying(child, ready);
    return { pid: child.pid!, said, readyMs: performance.now() - begunAt, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends a process, and all that it started, with this one or by `stop`. It must lead a group of its own. */
export function supervise(child: ChildProcess): { stop(): Promise<void> } {
  const kill = (): void => signalGroup(child.pid, "SIGKILL");
  process.once("exit", kill);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  return {
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(kill, STOP_MS);
      await ended;
      clearTimeout(timer);
      process.off("exit", kill);
      kill();
    },
  };
}

/** CPU time of processes, and of their children that have ended, in ms; NaN where /proc does not tell. */
export function cpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuTicks(pid), 0) * (1_000 / TICKS_A_SECOND);
}

/** Memory that a process has now, or has had at most, in MB; NaN where /proc does not tell. */
export function memoryMB(pid: number, which: "now" | "peak" = "now"): number {
  const [, kib] =
    new RegExp(`${which === "now" ? "VmRSS" : "VmHWM"}:\\s+(\\d+)`).exec(read(pid, "status")) ?? [];
  return kib === undefined ? Number.NaN : (Number(kib) * 1_024) / 1e6;
}

/** All processes that a process started, and those that they started. */
export function descendantsOf(pid: number): number[] {
  const children = tasksOf(pid).flatMap((task) =>
    read(pid, `task/${task}/children`).split(" ").filter(Boolean).map(Number),
  );
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** As {@link cpuMs}, of a process's first thread alone. */
export function mainThreadCpuMs(pid: number): number {
  return cpuTicks(pid, `task/${pid}/stat`) * (1_000 / TICKS_A_SECOND);
}

function cpuTicks(pid: number, file = "stat"): number {
  // The name in parentheses may hold spaces; what follows it begins with field 3. 14 to 17 are the times.
  const fields = read(pid, file).split(") ").at(-1)?.split(" ").slice(11, 15) ?? [];
  return fields.length < 4 ? Number.NaN : fields.reduce((sum, field) => sum + Number(field), 0);
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It has ended, or this is no Linux.
    return "";
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

function saying(child: ChildProcess, ready: RegExp): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`${child.spawnargs.join(" ")} did not start:\n${said}`)));
    for (const pipe of [child.stdout, child.stderr])
      pipe?.setEncoding("utf8").on("data", (text: string) => {
        // What comes later is read too, so that no pipe is ever full.
        if (ready.test(said)) return;
        said += text;
        if (ready.test(said)) resolve(said);
      });
  });
}
