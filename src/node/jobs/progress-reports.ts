import type { JobId, NodeName } from "../../core/ids.ts";
import type { ProgressRow, Store } from "../../store/port.ts";

/** Other nodes, and whoever asks later, hear of the last of several within this time. */
const STORE_EVERY_MS = 250;

export interface ProgressReportsOptions {
  readonly node: NodeName;
  readonly store: Pick<Store, "reportProgress">;
}

/** What jobs say of how far they are, on its way into the store. It is no loss when some of it is lost. */
export class ProgressReports {
  readonly #options: ProgressReportsOptions;
  readonly #latest = new Map<JobId, ProgressRow>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressReportsOptions) {
    this.#options = options;
  }

  add(row: ProgressRow): void {
    this.#latest.set(row.id, row);
    this.#timer ??= setTimeout(() => this.#send(), STORE_EVERY_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#latest.clear();
  }

  #send(): void {
    const { store, node } = this.#options;
    const rows = [...this.#latest.values()];
    this.#latest.clear();
    this.#timer = undefined;
    void store.reportProgress(node, rows).catch(() => {});
  }
}
