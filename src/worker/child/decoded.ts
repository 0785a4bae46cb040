import { LRUCache } from "lru-cache";
import type { DataFacts } from "../../core/data.ts";

/** What is kept however long nobody asks for it, measured by the bytes that it was decoded from. */
const MAX_BYTES = 128 * 1024 * 1024;

/**
 * Objects that this worker has decoded, by what they were decoded from. Larger ones than fit are remembered for as long as
 * somebody else holds them.
 */
export class Decoded {
  readonly #kept = new LRUCache<string, { readonly value: unknown }>({ maxSize: MAX_BYTES });
  readonly #large = new Map<string, WeakRef<object>>();
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** The object, decoded once however many ask for it at the same time. */
  async get(facts: DataFacts, decode: () => Promise<unknown>): Promise<unknown> {
    const key = `${facts.sha256} ${facts.codec ?? ""}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept.value;
    const large = this.#large.get(key)?.deref();
    if (large !== undefined) return large;
    const underWay = this.#underWay.get(key) ?? this.#decode(key, facts.size, decode);
    this.#underWay.set(key, underWay);
    try {
      return await underWay;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #decode(key: string, size: number, decode: () => Promise<unknown>): Promise<unknown> {
    const value = await decode();
    if (size <= MAX_BYTES) this.#kept.set(key, { value }, { size: Math.max(1, size) });
    else if (typeof value === "object" && value !== null) this.#large.set(key, new WeakRef(value));
    return value;
  }
}
