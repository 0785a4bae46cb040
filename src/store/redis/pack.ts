const ARRAY_32 = 0xdd;
const FLOAT_64 = 0xcb;
const STRING_32 = 0xdb;

/**
 * One msgpack array of all values, for `cmsgpack.unpack` in Lua. Bytes go as strings, which is all that Lua knows, and
 * all that Redis's cmsgpack reads: it refuses msgpack's own type for bytes, so no library serves here.
 */
export function pack(values: readonly (string | number | Uint8Array)[]): Buffer {
  const packed = Buffer.allocUnsafe(mostBytes(values));
  packed[0] = ARRAY_32;
  let at = packed.writeUInt32BE(values.length, 1);
  for (const value of values) {
    if (typeof value === "number") {
      packed[at] = FLOAT_64;
      at = packed.writeDoubleBE(value, at + 1);
      continue;
    }
    const start = at + 5;
    if (typeof value === "string") at = start + packed.write(value, start);
    else {
      packed.set(value, start);
      at = start + value.length;
    }
    packed[start - 5] = STRING_32;
    packed.writeUInt32BE(at - start, start - 4);
  }
  return packed.subarray(0, at);
}

function mostBytes(values: readonly (string | number | Uint8Array)[]): number {
  let size = 5;
  for (const value of values) {
    if (typeof value === "number") size += 9;
    else size += 5 + (typeof value === "string" ? 3 * value.length : value.length);
  }
  return size;
}
