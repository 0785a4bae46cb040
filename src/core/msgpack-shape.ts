/** What msgpack may hold. nil, booleans, numbers, texts and arrays always; what no shape allows is any extension. */
export interface MsgpackShape {
  /** Maps with text keys. */
  readonly maps: boolean;
  readonly bytes: boolean;
  /** Extension 0 of one byte: how msgpackr writes `undefined`. */
  readonly undefined: boolean;
  readonly maxDepth: number;
  /** In all; a value of one byte takes up to fifty as an object. */
  readonly maxValues: number;
}

/** What is wrong: with its form, or only with how many values it has. */
export type MsgpackFault = "form" | "count";

/**
 * Tells why `bytes` from `start` on do not hold exactly one value of this shape; `undefined`: they do. Decoders do more with other types than make
 * data of them (msgpackr compiles readers for records), they believe counts, and these bytes may come from anyone.
 */
export function msgpackFault(
  shape: MsgpackShape,
  bytes: Uint8Array,
  start: number,
): MsgpackFault | undefined {
  const reader = new Reader(shape, bytes, start);
  // Values still to come, innermost container last; a map counts keys and values, and its keys come at even counts.
  const pending: number[] = [1];
  const keyed: boolean[] = [false];
  let room = shape.maxValues;
  while (pending.length > 0) {
    const top = pending.length - 1;
    const left = pending[top] as number;
    if (left === 0) {
      pending.pop();
      keyed.pop();
      continue;
    }
    pending[top] = left - 1;
    const mustBeText = keyed[top] === true && left % 2 === 0;
    const kind = reader.next();
    if (kind === INVALID || (mustBeText && kind !== TEXT)) return "form";
    room -= 1;
    if (kind >= 0) {
      const count = reader.isMap ? kind * 2 : kind;
      pending.push(count);
      keyed.push(reader.isMap);
      if (pending.length > shape.maxDepth) return "form";
      if (count > room) return "count";
    }
  }
  return reader.position === bytes.length ? undefined : "form";
}

const INVALID = -1;
const SCALAR = -2;
const TEXT = -3;

/** Reads heads of values: a count of members for a container, or one of the negative marks above. */
class Reader {
  position: number;
  isMap = false;
  readonly #bytes: Uint8Array;
  readonly #shape: MsgpackShape;

  constructor(shape: MsgpackShape, bytes: Uint8Array, position: number) {
    this.#shape = shape;
    this.#bytes = bytes;
    this.position = position;
  }

  next(): number {
    const head = this.#bytes[this.position++];
    if (head === undefined) return INVALID;
    if (head < 0x80 || head >= 0xe0) return SCALAR;
    if (head < 0x90) return this.#container(head & 0x0f, true);
    if (head < 0xa0) return this.#container(head & 0x0f, false);
    if (head < 0xc0) return this.#skip(head & 0x1f, TEXT);
    return this.#wide(head);
  }

  #wide(head: number): number {
    switch (head) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return SCALAR;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#shape.bytes ? this.#skip(this.#uint(1 << (head - 0xc4)), SCALAR) : INVALID;
      case 0xcc:
      case 0xd0:
        return this.#skip(1, SCALAR);
      case 0xcd:
      case 0xd1:
        return this.#skip(2, SCALAR);
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.#skip(4, SCALAR);
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.#skip(8, SCALAR);
      case 0xd4:
        return this.#shape.undefined && this.#bytes[this.position] === 0 ? this.#skip(2, SCALAR) : INVALID;
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#skip(this.#uint(1 << (head - 0xd9)), TEXT);
      case 0xdc:
      case 0xdd:
        return this.#container(this.#uint(2 << (head - 0xdc)), false);
      case 0xde:
      case 0xdf:
        return this.#container(this.#uint(2 << (head - 0xde)), true);
      default:
        return INVALID;
    }
  }

  #container(count: number, isMap: boolean): number {
    if (isMap && !this.#shape.maps) return INVALID;
    this.isMap = isMap;
    // Every member takes a byte at least, so a huge count in a short message is a lie.
    return count > this.#bytes.length - this.position ? INVALID : count;
  }

  #skip(length: number, kind: number): number {
    this.position += length;
    return this.position > this.#bytes.length ? INVALID : kind;
  }

  #uint(width: number): number {
    let value = 0;
    for (let index = 0; index < width; index++) value = value * 256 + (this.#bytes[this.position++] ?? 0);
    return value;
  }
}
