import type { Random } from "./random.ts";

/** What parsers stumble over: lengths, kinds, and words that mean something. */
const BYTES = [
  0, 1, 0x0a, 0x20, 0x2e, 0x2f, 0x7f, 0x80, 0x90, 0x9f, 0xc0, 0xc1, 0xc6, 0xc9, 0xd4, 0xdb, 0xdd, 0xdf, 0xff,
];
const LENGTHS = [0, 1, 0x7f, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const WORDS = [
  "__proto__",
  "constructor",
  "../",
  "%2e%2e%2f",
  "\0",
  "\r\n",
  "\r\n\r\n",
  "null",
  "-1",
  "1e999",
  "99999999999999999999",
  '"',
  "[[[[[[[[[[[[[[[[",
  "{}",
  "\u{10ffff}",
  "\ufeff",
  "**/",
  "[!",
  "\\",
  "kitchensink:data",
  `${" ".repeat(3_000)}\u0001`,
  "a".repeat(3_000),
];

type Change = (bytes: Buffer, random: Random, others: readonly Uint8Array[]) => Buffer;

const place = (bytes: Buffer, random: Random): number => random.below(bytes.length + 1);
const exchanged = (bytes: Buffer, start: number, end: number, put: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(end)]);

const CHANGES: readonly Change[] = [
  // A bit flipped, a byte set.
  (bytes, random) => {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes;
  },
  (bytes, random) => {
    bytes[random.below(bytes.length)] = random.of(BYTES);
    return bytes;
  },
  // Cut short; cut out; put in; said twice.
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
  (bytes, random) => {
    const start = place(bytes, random);
    return exchanged(bytes, start, start + random.below(16), Buffer.alloc(0));
  },
  (bytes, random) => {
    const at = place(bytes, random);
    return exchanged(bytes, at, at, random.bytes(1 + random.below(8)));
  },
  (bytes, random) => {
    const at = place(bytes, random);
    return exchanged(bytes, at, at + random.below(2) * 8, Buffer.from(random.of(WORDS)));
  },
  (bytes, random) => {
    const start = place(bytes, random);
    const slice = bytes.subarray(start, start + random.below(64));
    return exchanged(bytes, start, start, Buffer.concat(Array<Buffer>(1 + random.below(20)).fill(slice)));
  },
  // The end of another one.
  (bytes, random, others) => {
    const other = Buffer.from(random.of(others));
    return Buffer.concat([bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))]);
  },
  // A length that lies, either end first.
  (bytes, random) => {
    const length = Buffer.alloc(4);
    if (random.below(2) === 0) length.writeUInt32LE(random.of(LENGTHS));
    else length.writeUInt32BE(random.of(LENGTHS));
    const at = random.below(Math.max(1, bytes.length - 3));
    return exchanged(bytes, at, at + 4, length);
  },
  // A digit that lies.
  (bytes, random) => {
    const digits = [...bytes.entries()].filter(([, byte]) => byte >= 0x30 && byte <= 0x39);
    const at = digits.length === 0 ? 0 : random.of(digits)[0];
    return exchanged(
      bytes,
      at,
      at + 1,
      Buffer.from(random.of(["0", "9", "-", "00", "99999", "1.5", "0x", "e9"])),
    );
  },
];

/** A recording with one thing wrong with it, or up to four. */
export function mutated(recordings: readonly Uint8Array[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(random.of(recordings));
  for (
    let changes = random.below(2) === 0 ? 1 : 1 + random.below(4);
    changes > 0 && bytes.length > 0;
    changes -= 1
  )
    bytes = Buffer.from(random.of(CHANGES)(bytes, random, recordings));
  return bytes;
}
