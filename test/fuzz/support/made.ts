/** Inputs that are made up, as bytes of the formats that parsers read. */
import { serialize } from "node:v8";
import fc from "fast-check";
import { Packr } from "msgpackr/pack";

const packr = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: true });

/** Anything that msgpack can say, also what no message of ours has. */
export const packed: fc.Arbitrary<Uint8Array> = fc
  .anything({
    withBigInt: false,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: false,
  })
  .map((value) => packr.pack(value));

/** Lists of what messages are made of. */
export const packedLists: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.constantFrom("o", "f", "s", "u", "a", "y", "i", "d", "r", "c", "w", "g", "m", "k"),
      fc.string(),
      fc.uuid(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 40 }),
      fc.array(fc.oneof(fc.string(), fc.integer(), fc.array(fc.uint8Array({ maxLength: 9 })))),
    ),
    { maxLength: 12 },
  )
  .map((value) => packr.pack(value));

export const json: fc.Arbitrary<Uint8Array> = fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text));

/** Objects with the keys that somebody looks for, and anything under them. */
export function jsonWith(...keys: readonly string[]): fc.Arbitrary<Uint8Array> {
  const values = fc.oneof(
    fc.string(),
    fc.uuid(),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.constant(null),
    fc.jsonValue({ maxDepth: 3 }),
    fc.array(
      fc.oneof(fc.string(), fc.dictionary(fc.constantFrom(...keys, "toString", "__proto__"), fc.jsonValue())),
    ),
  );
  const all = fc.constantFrom(...keys, "__proto__", "toString", "constructor");
  return fc.dictionary(all, values, { maxKeys: 12 }).map((value) => Buffer.from(JSON.stringify(value)));
}

/** Whatever v8 can write that data may hold. */
export const structured: fc.Arbitrary<Uint8Array> = fc
  .anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
  })
  .map((value) => serialize(value));

export const text: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme", maxLength: 300 }),
    fc.webUrl({ withQueryParameters: true }),
  )
  .map((value) => Buffer.from(value));

/** Texts of these pieces. */
export function texts(...pieces: readonly string[]): fc.Arbitrary<Uint8Array> {
  return fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 5 })), { maxLength: 40 })
    .map((parts) => Buffer.from(parts.join("")));
}

/** As is, behind a byte. */
export function tagged(tag: number, bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return bytes.map((rest) => Buffer.concat([Buffer.of(tag), rest]));
}

/** Frames, or what looks like them. */
export function framed(body: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .array(fc.tuple(body, fc.constantFrom(0, 0, 0, 0, 1, -1, 0xffff, 0x7fffffff)), {
      minLength: 1,
      maxLength: 4,
    })
    .map((frames) =>
      Buffer.concat(
        frames.flatMap(([bytes, lie]) => {
          const head = Buffer.alloc(4);
          head.writeUInt32LE((bytes.length + lie) >>> 0);
          return [head, bytes];
        }),
      ),
    );
}
