import type { FinishRow } from "../../store/port.ts";

const KEPT_MS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;
/** What outlives the garbage collector's first rounds costs more than all else of a commit. */
const MAX_ROWS = 5_000;

interface Batch {
  readonly rows: readonly FinishRow[];
  readonly atMs: number;
  readonly bytes: number;
}

/** The ends that were committed last, as many as cost little: a server that takes another's place may not know them. */
export class RecentEnds {
  readonly #batches: Batch[] = [];
  #rows = 0;
  #bytes = 0;

  add(rows: readonly FinishRow[], nowMs: number): void {
    const bytes = rows.reduce((sum, row) => sum + ("outcome" in row ? row.outcome.length : 0), 0);
    this.#batches.push({ rows, atMs: nowMs, bytes });
    this.#rows += rows.length;
    this.#bytes += bytes;
    this.#forget(nowMs);
  }

  /** Batches, the oldest first. */
  list(nowMs: number): readonly (readonly FinishRow[])[] {
    this.#forget(nowMs);
    return this.#batches.map(({ rows }) => rows);
  }

  #forget(nowMs: number): void {
    let old = 0;
    for (const { atMs, rows, bytes } of this.#batches) {
      if (nowMs - atMs < KEPT_MS && this.#rows <= MAX_ROWS && this.#bytes <= MAX_BYTES) break;
      old += 1;
      this.#rows -= rows.length;
      this.#bytes -= bytes;
    }
    if (old > 0) this.#batches.splice(0, old);
  }
}
