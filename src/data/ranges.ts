import type { ByteRange } from "./types.ts";

const SINGLE = /^bytes=\s*(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))\s*$/;

/**
 * Reads a Range header for a file of `size` bytes. `undefined`: the whole file, also for several ranges and for what is
 * no range (RFC 9110 has a server ignore what it does not understand).
 *
 * @example
 * ```ts
 * parseRange("bytes=-5", 100); // { start: 95, end: 100 }
 * parseRange("bytes=100-", 100); // "unsatisfiable": answer 416 with `content-range: bytes *\/100`
 * ```
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const [, from, to, last] = SINGLE.exec(header ?? "") ?? [];
  if (last !== undefined) {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  if (from === undefined) return undefined;
  const start = Number(from);
  const end = to === undefined ? size : Number(to) + 1;
  if (end <= start && to !== undefined) return undefined;
  return start >= size ? "unsatisfiable" : { start, end: Math.min(end, size) };
}
