import { encodeOutcome } from "../codec/wire.ts";
import type { ErrorCode } from "../core/errors.ts";
import { describeExit } from "../worker/worker-process.ts";
import type { Exit } from "../worker/run-list.ts";

/** An outcome that the node itself makes: a {@link KitchenError} of this code where the caller awaits. */
export function errorOutcome(code: ErrorCode, message: string): Uint8Array {
  return encodeOutcome({
    type: "error",
    error: { name: "KitchenError", message, stack: "", code, detail: null },
  });
}

export interface Death {
  readonly exit: Exit;
  readonly label: string;
  readonly node: string;
  readonly ranMs: number;
  readonly deaths: number;
  readonly isIdempotent: boolean;
  readonly lastOutput: string;
}

/** Of a job that was lost. */
export const NOT_AGAIN =
  "It may have run in part; it was not begun again, because it was called with idempotent: false.";

const LAST_LINES = 20;

/** What a caller learns when the worker died under the job. */
export function deathReport({ exit, label, node, ranMs, deaths, isIdempotent, lastOutput }: Death): string {
  const how = isDeliberate(exit)
    ? `it called process.exit(${exit.code})`
    : `its worker died ${deaths === 1 ? "" : `${deaths} times, the last time `}(${describeExit(exit)}${isOutOfMemory(exit, lastOutput) ? ": out of memory" : ""})`;
  const lines = lastOutput.trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  const said = lines === "" ? "It had printed nothing." : `The last it printed:\n${lines}`;
  const once = isIdempotent || isDeliberate(exit) ? "" : ` ${NOT_AGAIN}`;
  return `Cannot finish ${label}: ${how} after ${Math.round(ranMs)} ms on ${node}.${once} ${said}`;
}

/** Whether the function ended the process itself, rather than something that befell it. */
export function isDeliberate({ code, signal }: Exit): boolean {
  return signal === null && code !== null && code !== 134;
}

function isOutOfMemory({ code, signal }: Exit, lastOutput: string): boolean {
  return (signal === "SIGABRT" || code === 134) && /out of memory/i.test(lastOutput);
}
