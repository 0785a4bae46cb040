// What is known of data that clients saved and deleted.
import type { Entry } from "../journal.ts";
import type { Tally } from "./tally.ts";

interface Saved {
  readonly sha256: string;
  /** Somebody asked for its end: it may be gone. */
  isDoomed: boolean;
}

export class Data {
  /** By url, what must be there. */
  readonly saved = new Map<string, Saved>();
  /** What must be gone. */
  readonly deleted = new Set<string>();
  readonly #tally: Tally;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  take(entry: Extract<Entry, { type: "saved" | "deleting" | "deleted" }>): void {
    this.#tally.count(`data ${entry.type}`);
    const known = this.saved.get(entry.url);
    if (entry.type === "saved") this.saved.set(entry.url, { sha256: entry.sha256, isDoomed: false });
    else if (entry.type === "deleting" && known !== undefined) known.isDoomed = true;
    else if (entry.type === "deleted") {
      this.saved.delete(entry.url);
      this.deleted.add(entry.url);
    }
  }
}
