/** What a job's output log ends with when it was cut: a piece on stderr. */
export function cutNotice(limitBytes: number): Uint8Array {
  return Buffer.from(`\n[kitchensink: the output log was cut here, at its limit of ${limitBytes} bytes]\n`);
}
