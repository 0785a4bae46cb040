import { readFileSync } from "node:fs";
import { KitchenError } from "../core/errors.ts";
import { showBytes } from "../core/show-bytes.ts";

/** A worker takes 20 MB when it rests, and V8 fails without some more. */
export const LEAST_WORKER_MEMORY_BYTES = 64_000_000;
/** What Node itself takes at least beside the heap of old values: native parts, code, what is young in the heap. */
const OUTSIDE_HEAP_BYTES = 32_000_000;
/**
 * While V8 collects garbage it takes memory for lists of what it has seen: with a GB of plain objects, the whole was 44%
 * more than the limit of the heap. When the kernel refuses that, V8 dies by SIGSEGV without a word; so the heap gets
 * full, which V8 reports, well before all is.
 */
const HEAP_SHARE = 2 / 3;
/** V8 keeps three spaces for what is young, of 16 MiB each by default, which is much for a small worker. */
const YOUNG_SHARE = 1 / 64;
const MOST_YOUNG_MEBIBYTES = 16;
/** Node starts ten threads with stacks of 8 MB, of which they use hardly any; the kernel counts all of it. */
const STACKS_BYTES = 80 * 1024 * 1024;
const MEBIBYTE = 1024 * 1024;

/** @throws KitchenError `KS_USAGE` for less than a worker can work with */
export function checkWorkerMemory(bytes: number): number {
  if (bytes >= LEAST_WORKER_MEMORY_BYTES) return bytes;
  const least = showBytes(LEAST_WORKER_MEMORY_BYTES);
  throw new KitchenError(
    "KS_USAGE",
    `Cannot run workers with ${showBytes(bytes)} of memory: Node needs a third of ${least} for itself (give --worker-memory ${least} or more)`,
  );
}

/** The command that runs Node with these arguments and no more memory than that. `undefined`: as V8 decides. */
export function nodeCommand(
  args: readonly string[],
  memoryBytes: number | undefined,
): readonly [string, ...string[]] {
  if (memoryBytes === undefined) return [process.execPath, ...args];
  const command = [process.execPath, ...heapFlags(memoryBytes), ...args] as const;
  // Elsewhere the limit does not count what is mapped, so only the heap has one.
  return process.platform === "linux" ? ["/bin/sh", "-c", shellText(memoryBytes), ...command] : [...command];
}

function heapFlags(memoryBytes: number): string[] {
  const old = Math.min(memoryBytes * HEAP_SHARE, memoryBytes - OUTSIDE_HEAP_BYTES);
  const young = Math.min(Math.max((memoryBytes * YOUNG_SHARE) / MEBIBYTE, 1), MOST_YOUNG_MEBIBYTES);
  return [`--max-old-space-size=${Math.floor(old / MEBIBYTE)}`, `--max-semi-space-size=${Math.floor(young)}`];
}

/**
 * Not of all address space, of which WebAssembly and V8 reserve many GB without using them, but of what is private and
 * writable. The shell becomes the process that it starts.
 */
function shellText(memoryBytes: number): string {
  const kibibytes = Math.ceil((memoryBytes + STACKS_BYTES + codeBytes()) / 1024);
  return `ulimit -d ${kibibytes} && exec "$0" "$@"`;
}

/** V8 of Node 24 maps 512 MB for code, writable from the beginning, as it has done in this process. */
function codeBytes(): number {
  const ranges = readFileSync("/proc/self/maps", "latin1").matchAll(/^([0-9a-f]+)-([0-9a-f]+) rwxp/gm);
  return [...ranges].reduce((sum, [, from, to]) => sum + Number(`0x${to}`) - Number(`0x${from}`), 0);
}
