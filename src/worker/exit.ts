/** How a worker process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the node knows beside that. */
  readonly because?: Because;
}

export type Because =
  /** The kernel killed a process of this cgroup at that time, for lack of memory. */
  | "system-out-of-memory"
  /** It was killed, and nobody can tell whether the system was short of memory. */
  | "unknown-killer"
  /** It had closed its stdout or stderr, so that no run could end any more. */
  | "closed-output"
  /** It had closed the descriptor by which the node speaks to it. */
  | "closed-channel";

/** What a shell says of a process that ended by abort(). */
const ABORTED = 134;
/** With these V8 ends a process that it cannot go on with. */
const CRASHES: readonly (string | null)[] = ["SIGABRT", "SIGTRAP", "SIGILL", "SIGSEGV", "SIGBUS"];

/** Whether the process ended itself in a way that V8, libuv or native code choose when they give up. */
export function isCrash({ code, signal }: Exit): boolean {
  return CRASHES.includes(signal) || code === ABORTED;
}

/** Whether the function ended the process itself, rather than something that befell it. */
export function isDeliberate(exit: Exit): boolean {
  const { code, signal, because } = exit;
  return because === undefined && signal === null && code !== null && !isCrash(exit);
}

/** `killed by SIGKILL`, `exit code 1`. */
export function describeExit({ code, signal, because }: Exit): string {
  if (because === "closed-output") return "it had closed its stdout or stderr";
  if (because === "closed-channel") return "it had closed its descriptor 3";
  if (signal !== null) return `killed by ${signal}`;
  return code === null ? "it could not be started" : `exit code ${code}`;
}
