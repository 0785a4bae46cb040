import type { UnitHash } from "../../core/ids.ts";
import { ownBytes } from "./bytes.ts";

/** Code units, each kept until `ttlMs` after its last use. */
export class Units {
  readonly #ttlMs: number;
  readonly #units = new Map<UnitHash, { readonly bytes: Uint8Array; usedAtMs: number }>();

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  /** The unit's bytes; reading is using. */
  use(hash: UnitHash, nowMs: number): Uint8Array | undefined {
    const unit = this.#units.get(hash);
    if (unit === undefined || unit.usedAtMs + this.#ttlMs <= nowMs) return undefined;
    unit.usedAtMs = nowMs;
    return unit.bytes;
  }

  /** How many bytes it has; to ask is not to use it. */
  size(hash: UnitHash, nowMs: number): number | undefined {
    const unit = this.#units.get(hash);
    return unit === undefined || unit.usedAtMs + this.#ttlMs <= nowMs ? undefined : unit.bytes.length;
  }

  add(hash: UnitHash, bytes: Uint8Array, nowMs: number): void {
    if (this.use(hash, nowMs) === undefined)
      this.#units.set(hash, { bytes: ownBytes(bytes), usedAtMs: nowMs });
  }

  removeExpired(nowMs: number): void {
    for (const [hash, unit] of this.#units)
      if (unit.usedAtMs + this.#ttlMs <= nowMs) this.#units.delete(hash);
  }
}
