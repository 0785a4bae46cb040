/** Takes JSON apart that nodes answer with, field by field, each checked for what it is. */
import { KitchenError } from "../core/errors.ts";

export function listIn(value: unknown, key: string): readonly unknown[] {
  const list =
    typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  if (Array.isArray(list)) return list;
  throw malformed(`list of ${key}`);
}

export class Reader {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #what: string;

  constructor(value: unknown, what: string) {
    if (typeof value !== "object" || value === null) throw malformed(what);
    this.#values = { ...value };
    this.#what = what;
  }

  has(key: string): boolean {
    return this.#values[key] != null;
  }

  text(key: string): string {
    const value = this.#values[key];
    if (typeof value === "string") return value;
    throw malformed(`${this.#what}'s ${key}`);
  }

  number(key: string): number {
    const value = this.#values[key];
    if (typeof value === "number") return value;
    throw malformed(`${this.#what}'s ${key}`);
  }

  textOrNull(key: string): string | null {
    return this.has(key) ? this.text(key) : null;
  }

  value(key: string): unknown {
    return this.#values[key];
  }

  object(key: string): Readonly<Record<string, unknown>> {
    const value = this.#values[key];
    if (typeof value === "object" && value !== null) return { ...value };
    throw malformed(`${this.#what}'s ${key}`);
  }

  boolean(key: string): boolean {
    const value = this.#values[key];
    if (typeof value === "boolean") return value;
    throw malformed(`${this.#what}'s ${key}`);
  }

  date(key: string): Date {
    const value = new Date(this.text(key));
    if (!Number.isNaN(value.getTime())) return value;
    throw malformed(`${this.#what}'s ${key}`);
  }

  /** The rows of a list, each read as a thing of its own. */
  rows(key: string, what: string): readonly Reader[] {
    return listIn(this.#values, key).map((row) => new Reader(row, what));
  }

  numbers(key: string): readonly number[] {
    const value = this.#values[key];
    if (Array.isArray(value) && value.every((one) => typeof one === "number")) return value;
    throw malformed(`${this.#what}'s ${key}`);
  }

  texts(key: string): readonly string[] {
    const value = this.#values[key];
    if (Array.isArray(value) && value.every((text) => typeof text === "string")) return value;
    throw malformed(`${this.#what}'s ${key}`);
  }
}

export function malformed(what: string): KitchenError {
  return new KitchenError(
    "KS_UNAVAILABLE",
    `Cannot read the node's answer: it has no ${what} (is it another release?)`,
  );
}
