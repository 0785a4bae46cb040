const ARRAY_32 = 0xdd;
const FLOAT_64 = 0xcb;
const STRING_32 = 0xdb;

/** What `cmsgpack.unpack` in Lua gives back. */
export type Packable = string | number | Uint8Array;

/**
 * One msgpack array of all values, for `cmsgpack.unpack` in Lua. Bytes go as strings, which is all that Lua knows, and
 * all that Redis's cmsgpack reads: it refuses msgpack's own type for bytes, so no library serves here.
 */
export function pack(values: readonly Packable[]): Buffer {
  let most = 5;
  for (const value of values) most += mostBytes(value);
  const packed = Buffer.allocUnsafe(most);
  let at = startArray(packed, values.length);
  for (const value of values) at = putValue(packed, at, value);
  return packed.subarray(0, at);
}

/** Room for a value, in bytes, with what stands before it. */
export function mostBytes(value: Packable): number {
  if (typeof value === "number") return 9;
  return 5 + (typeof value === "string" ? 3 * value.length : value.length);
}

/** Begins an array, for values that are put behind; gives where the first one goes. */
export function startArray(packed: Buffer, count: number): number {
  packed[0] = ARRAY_32;
  return packed.writeUInt32BE(count, 1);
}

/** Puts a value; gives where the next one goes. */
export function putValue(packed: Buffer, at: number, value: Packable): number {
  if (typeof value === "number") {
    packed[at] = FLOAT_64;
    return packed.writeDoubleBE(value, at + 1);
  }
  const start = startBytes(at);
  return endBytes(packed, start, start + putBytes(packed, start, value));
}

/** For bytes that are put in several steps: where they begin when their value stands at `at`. Then comes `endBytes`. */
export function startBytes(at: number): number {
  return at + 5;
}

/** Ends bytes that were put from `start` up to `end`; gives where the next value goes. */
export function endBytes(packed: Buffer, start: number, end: number): number {
  packed[start - 5] = STRING_32;
  packed.writeUInt32BE(end - start, start - 4);
  return end;
}

/** Puts bytes alone, without what tells their size; gives how many they are. */
export function putBytes(packed: Buffer, at: number, value: string | Uint8Array): number {
  if (typeof value === "string") return packed.write(value, at);
  packed.set(value, at);
  return value.length;
}
