/** What a job's output log ends with when it was cut: a piece on stderr. */
export function cutNotice(limitBytes: number): Uint8Array {
  return Buffer.from(`\n[kitchensink: the output log was cut here, at its limit of ${limitBytes} bytes]\n`);
}

/** What stands in a job's output log where a node had to drop some: a piece on stderr. */
export function missingNotice(): Uint8Array {
  return Buffer.from("\n[kitchensink: output is missing here, as the store was away]\n");
}

/** What a job's output log ends with when the store is at its memory limit: a piece on stderr. */
export function fullNotice(): Uint8Array {
  return Buffer.from("\n[kitchensink: the output log was cut here, as the Redis is at its memory limit]\n");
}
