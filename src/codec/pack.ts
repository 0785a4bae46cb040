import { Packr } from "msgpackr/pack";
import { KitchenError } from "../core/errors.ts";
import { msgpackFault } from "../core/msgpack-shape.ts";

const packr = new Packr({ useRecords: false, mapsAsObjects: true });

/** A message's fields as msgpack, or one of them. The bytes are the caller's own. */
export function pack(fields: unknown): Buffer {
  return packr.pack(fields);
}

/** In one message: what the largest batch has, many times over. */
export const MAX_VALUES = 1_000_000;
/** Messages are lists of lists of lists, and no deeper. */
const MESSAGE = { maps: false, bytes: true, undefined: false, maxDepth: 8, maxValues: MAX_VALUES };

const LIST_OF_32_BITS = 0xdd;

/** What stands before the items of a list, each of which {@link pack} made. */
export function listHeader(count: number): Buffer {
  const header = Buffer.from([LIST_OF_32_BITS, 0, 0, 0, 0]);
  header.writeUInt32BE(count, 1);
  return header;
}

/** The fields of a message, by position, each read by a method that checks what it is. */
export class Fields {
  readonly #values: readonly unknown[];
  readonly #what: string;

  private constructor(values: readonly unknown[], what: string) {
    this.#values = values;
    this.#what = what;
  }

  /** @throws KitchenError `KS_BAD_REQUEST`: no msgpack array of at least `count` fields; `KS_TOO_LARGE`: too many values */
  static unpack(bytes: Uint8Array, what: string, count: number): Fields {
    const fault = msgpackFault(MESSAGE, bytes, 0);
    if (fault === "count")
      throw new KitchenError(
        "KS_TOO_LARGE",
        `Cannot take a ${what} of more than ${MAX_VALUES} values: send less at once`,
      );
    if (fault === "form")
      throw new KitchenError(
        "KS_BAD_REQUEST",
        `Not a ${what}: the bytes are not msgpack of lists, texts, numbers and bytes`,
      );
    let values: unknown;
    try {
      values = packr.unpack(bytes);
    } catch (cause) {
      throw new KitchenError("KS_BAD_REQUEST", `Not a ${what}: the bytes are not msgpack`, { cause });
    }
    return Fields.of(values, what, count);
  }

  /** As {@link unpack}, for an array inside a message. */
  static of(values: unknown, what: string, count: number): Fields {
    if (Array.isArray(values) && values.length >= count) return new Fields(values, what);
    throw new KitchenError("KS_BAD_REQUEST", `Not a ${what}: expected an array of ${count} fields`);
  }

  get length(): number {
    return this.#values.length;
  }

  raw(at: number): unknown {
    return this.#values[at];
  }

  text(at: number): string {
    const value = this.#values[at];
    return typeof value === "string" ? value : this.#fail(at, "text");
  }

  textOrNull(at: number): string | null {
    return this.#values[at] == null ? null : this.text(at);
  }

  number(at: number): number {
    const value = this.#values[at];
    return typeof value === "number" ? value : this.#fail(at, "a number");
  }

  /** A whole number from 0 on. */
  count(at: number): number {
    const value = this.#values[at];
    return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
      ? value
      : this.#fail(at, "a whole number");
  }

  /** In ms or another unit: what can be added up. */
  amount(at: number): number {
    const value = this.number(at);
    return Number.isFinite(value) && value >= 0 ? value : this.#fail(at, "a number from 0 on");
  }

  boolean(at: number): boolean {
    const value = this.#values[at];
    return typeof value === "boolean" ? value : this.#fail(at, "true or false");
  }

  bytes(at: number): Uint8Array {
    const value = this.#values[at];
    return value instanceof Uint8Array ? value : this.#fail(at, "bytes");
  }

  bytesOrNull(at: number): Uint8Array | null {
    return this.#values[at] == null ? null : this.bytes(at);
  }

  list(at: number): readonly unknown[] {
    const value = this.#values[at];
    return Array.isArray(value) ? value : this.#fail(at, "a list");
  }

  bytesList(at: number): readonly Uint8Array[] {
    const values = this.list(at);
    const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
    return values.every(isBytes) ? values : this.#fail(at, "a list of bytes");
  }

  #fail(at: number, expected: string): never {
    throw new KitchenError("KS_BAD_REQUEST", `Not a ${this.#what}: field ${at} is not ${expected}`);
  }
}
