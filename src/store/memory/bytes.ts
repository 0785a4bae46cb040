/**
 * The bytes, copied when they are a small view into something much larger: a result of 20 bytes that is kept for a
 * day must not keep the 64 kB alive that it was received with. Node packs small copies together, in 8 kB.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.byteLength + 64 ? Buffer.from(bytes) : bytes;
}

/** Whether two runs of bytes are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || Buffer.compare(a, b) === 0;
}
