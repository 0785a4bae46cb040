import { LRUCache } from "lru-cache";
import { KitchenError } from "../../core/errors.ts";
import type { UnitHash } from "../../core/ids.ts";
import type { Store } from "../../store/port.ts";

const MAX_BYTES = 64 * 1024 * 1024;

/** Code units that this node has met, in front of the store. */
export class UnitCache {
  readonly #store: Store;
  readonly #cache = new LRUCache<UnitHash, Uint8Array>({
    maxSize: MAX_BYTES,
    sizeCalculation: (bytes) => bytes.length + 100,
  });

  constructor(store: Store) {
    this.#store = store;
  }

  add(units: ReadonlyMap<UnitHash, Uint8Array>): void {
    // Copies: a unit outlives the request body that it came in.
    for (const [hash, bytes] of units) this.#cache.set(hash, new Uint8Array(bytes));
  }

  has(hash: UnitHash): boolean {
    return this.#cache.has(hash);
  }

  /** The units when all are cached, without waiting; else `undefined`. */
  peek(hashes: readonly UnitHash[]): ReadonlyMap<UnitHash, Uint8Array> | undefined {
    if (hashes.length === 0) return NO_UNITS;
    const found = new Map<UnitHash, Uint8Array>();
    for (const hash of hashes) {
      const bytes = this.#cache.get(hash);
      if (bytes === undefined) return undefined;
      found.set(hash, bytes);
    }
    return found;
  }

  /** The units, from the store where need be. @throws KitchenError `KS_STATE_LOST` when one is nowhere */
  async load(hashes: readonly UnitHash[]): Promise<ReadonlyMap<UnitHash, Uint8Array>> {
    const missing = hashes.filter((hash) => !this.#cache.has(hash));
    const loaded = await this.#store.units(missing);
    const found = new Map<UnitHash, Uint8Array>();
    for (const hash of hashes) {
      const bytes = this.#cache.get(hash) ?? loaded[missing.indexOf(hash)];
      if (bytes === undefined)
        throw new KitchenError(
          "KS_STATE_LOST",
          `The store no longer holds the code unit ${hash}: call the function again`,
        );
      this.#cache.set(hash, bytes);
      found.set(hash, bytes);
    }
    return found;
  }
}

const NO_UNITS: ReadonlyMap<UnitHash, Uint8Array> = new Map();
