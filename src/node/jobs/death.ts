import { showBytes } from "../../core/show-bytes.ts";
import { describeExit, isCrash, isDeliberate, type Exit } from "../../worker/exit.ts";
import { lastLines, lastOwnLines } from "./last-output.ts";

/** How a job's worker died. */
export interface Death {
  readonly exit: Exit;
  readonly label: string;
  readonly node: string;
  readonly attempt: number;
  readonly isIdempotent: boolean;
  readonly ranMs: number;
  /** What the run printed last, and what V8 said when it gave up. */
  readonly lastOutput: string;
  /** What a worker may have; `undefined`: what V8 takes by itself. */
  readonly memoryBytes: number | undefined;
  /** A line on each earlier death, oldest first. */
  readonly earlier: readonly string[];
}

const MOST_NOTE_CHARACTERS = 300;

/** Of a job that was lost. */
export const NOT_AGAIN =
  "It may have run in part; it was not begun again, because it was called with idempotent: false.";

/** What a caller learns when the worker died under the job. */
export function deathReport(death: Death): string {
  const { label, node, ranMs, earlier } = death;
  const deaths = earlier.length + 1;
  const times = deaths === 1 ? "its worker died" : `its worker died ${deaths} times, the last time`;
  const how = isDeliberate(death.exit)
    ? `it called process.exit(${death.exit.code})`
    : `${times} (${causeOf(death)})`;
  const once = death.isIdempotent || isDeliberate(death.exit) ? "" : `${NOT_AGAIN} `;
  return [
    `Cannot finish ${label}: ${how} after ${Math.round(ranMs)} ms on ${node}. ${once}${said(death)}`,
    ...(earlier.length === 0 ? [] : ["Earlier deaths:", ...deathLines(earlier)]),
  ].join("\n");
}

/** The same in a line, for the report of a later death. */
export function deathNote(death: Death): string {
  const { attempt, node, ranMs } = death;
  return `attempt ${attempt} on ${node}, after ${Math.round(ranMs)} ms: ${causeOf(death)}`.slice(
    0,
    MOST_NOTE_CHARACTERS,
  );
}

/** Notes on deaths as they stand in a report, one a line. */
export function deathLines(notes: readonly string[]): string[] {
  return notes.map((note) => `- ${note}`);
}

function causeOf(death: Death): string {
  const { exit, memoryBytes } = death;
  const how = describeExit(exit);
  if (exit.because === "unknown-killer") return `${how}: by somebody, or by the system, if memory ran out`;
  if (exit.because === "system-out-of-memory")
    return `${how}: out of memory, as the whole system or its container was`;
  if (!isOutOfMemory(death)) return isCrash(exit) ? `${how}${perhaps(memoryBytes)}` : how;
  const limit =
    memoryBytes === undefined ? "V8's own, as the node has no --worker-memory" : showBytes(memoryBytes);
  return `${how}: out of memory; its limit is ${limit}`;
}

/** At the kernel's limit V8 does not always come to say so: it uses some of what it asked for and did not get. */
function perhaps(memoryBytes: number | undefined): string {
  if (memoryBytes === undefined) return "";
  return `; perhaps out of memory: its limit is ${showBytes(memoryBytes)} (--worker-memory)`;
}

/** V8 and the C++ library say so before they abort. A job may print the same words, but not as such a line. */
const OUT_OF_MEMORY =
  /^(FATAL ERROR:|# Fatal).*(out of memory|allocation failed)|std::bad_alloc|St9bad_alloc/im;

function isOutOfMemory({ exit, lastOutput }: Death): boolean {
  return isCrash(exit) && OUT_OF_MEMORY.test(lastOutput);
}

function said({ exit, lastOutput }: Death): string {
  const text = isCrash(exit) ? lastLines(lastOutput) : lastOwnLines(lastOutput);
  return text === "" ? "It had printed nothing." : `The last it printed:\n${text}`;
}
