import type { OutputPiece } from "./port.ts";

const CUT = "\n[kitchensink: the output log was cut here";

/** What a job's output log ends with when it was cut: a piece on stderr. */
export function cutNotice(limitBytes: number): Uint8Array {
  return Buffer.from(`${CUT}, at its limit of ${limitBytes} bytes]\n`);
}

/** What stands in a job's output log where a node had to drop some: a piece on stderr. */
export function missingNotice(): Uint8Array {
  return Buffer.from("\n[kitchensink: output is missing here, as the store was away]\n");
}

/** What a job's output log ends with when the store is at its memory limit: a piece on stderr. */
export function fullNotice(): Uint8Array {
  return Buffer.from(`${CUT}, as the Redis is at its memory limit]\n`);
}

/** Says of the last piece whether the log was cut there. A job that prints the same itself deceives its own readers only. */
export function markCut(pieces: readonly OutputPiece[]): OutputPiece[] {
  const last = pieces.at(-1);
  if (last?.stream !== "stderr" || !Buffer.from(last.bytes).toString("latin1").startsWith(CUT))
    return [...pieces];
  return [...pieces.slice(0, -1), { ...last, isCut: true }];
}
