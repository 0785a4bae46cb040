/**
 * Numbers what can be reached in the order of reaching it, so that graphs of equal values and equal sharing give equal
 * texts. Later texts keep the numbers of earlier ones.
 */
export class GraphDescription {
  readonly #ids = new Map<unknown, number>();

  /** Everything that can be reached from `root` without calling anything. */
  of(root: unknown): string {
    this.name(root);
    const lines: string[] = [];
    for (const [value, id] of this.#ids)
      lines.push(
        `#${id} = ${partsOf(value)
          .map((part) => this.name(part))
          .join(" ")}`,
      );
    return lines.join("\n");
  }

  /** A value by its number, or a primitive by itself. */
  name(value: unknown): string {
    if (typeof value === "symbol") return this.#numbered(value);
    if ((typeof value !== "object" && typeof value !== "function") || value === null)
      return Object.is(value, -0) ? "-0" : `${typeof value}:${String(value)}`;
    return WELL_KNOWN.get(value) ?? this.#numbered(value);
  }

  #numbered(value: unknown): string {
    const id = this.#ids.get(value) ?? this.#ids.size;
    this.#ids.set(value, id);
    return `#${id}`;
  }
}

const WELL_KNOWN = new Map<unknown, string>(
  [Object, Array, Map, Set, Date, Uint8Array, Float64Array, ArrayBuffer, Error, Function].flatMap((maker) => [
    [maker, maker.name],
    [maker.prototype, `${maker.name}.prototype`],
  ]),
);

function partsOf(value: unknown): unknown[] {
  if (typeof value === "symbol") return ["symbol", value.description];
  const object = value as object;
  return [
    ...innerParts(object),
    Object.getPrototypeOf(object),
    Object.isFrozen(object),
    ...propertiesOf(object),
  ];
}

function innerParts(value: object): unknown[] {
  if (value instanceof Map) return ["map", ...[...value].flat()];
  if (value instanceof Set) return ["set", ...value];
  if (value instanceof Date) return ["date", +value];
  if (value instanceof Uint8Array || value instanceof Float64Array)
    return ["view", value.byteOffset, value.length, value.buffer];
  if (value instanceof ArrayBuffer) return ["bytes", String(new Uint8Array(value))];
  if (typeof value !== "function") return ["object"];
  const text = Function.prototype.toString.call(value);
  // The text of a class that travelled is another one.
  return text.startsWith("class") ? ["class"] : ["function", text];
}

function propertiesOf(value: object): unknown[] {
  return Reflect.ownKeys(value).flatMap((key) => {
    const {
      value: held,
      get,
      set,
      ...flags
    } = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    // What a stack says of where an error was made is its own matter, and some versions of Node keep it in an accessor.
    if (key === "stack") return [key, flags.enumerable, flags.configurable];
    return [key, held, get, set, JSON.stringify(flags)];
  });
}
