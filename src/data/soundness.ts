import { setMaxListeners } from "node:events";
import type { DataUrl } from "../core/data-url.ts";
import type { DataThread } from "./data-thread.ts";
import { ThreadError } from "./thread-error.ts";
import { lookAt, type Fault } from "./inventory.ts";
import type { Entry } from "./journal.ts";
import { pathOf, type Layout } from "./layout.ts";
import type { Shelf } from "./shelf.ts";
import type { Replica } from "./types.ts";

export interface SoundnessParts {
  readonly layout: Layout;
  readonly shelf: Shelf;
  readonly thread: DataThread;
  /** Replicas whose files had other times when the directory was opened. */
  readonly doubtful: readonly DataUrl[];
  readonly lose: (entry: Entry, fault: Fault) => Promise<void>;
}

/**
 * Whether files are still what was put there. Size and times tell at once; where the times differ the hash decides, and what
 * is not sound is lost. Bytes that changed and left the times as they were are found by who reads them and has the hash.
 */
export class Soundness {
  /** Resolves when all that was doubtful at the beginning is known, or it was stopped. */
  readonly settled: Promise<void>;
  readonly #parts: SoundnessParts;
  readonly #proofs = new Map<DataUrl, Promise<Replica | undefined>>();
  readonly #controller = new AbortController();

  constructor(parts: SoundnessParts) {
    this.#parts = parts;
    // As many as files that are proved at once: no leak, as Node would say from the eleventh on.
    setMaxListeners(0, this.#controller.signal);
    this.settled = this.#checkDoubtful();
  }

  stop(): void {
    this.#controller.abort();
  }

  /** The replica, if it is here and its file is sound by a look at it. Rejects when the disk cannot be looked at. */
  async check(url: DataUrl): Promise<Replica | undefined> {
    const { layout, shelf, lose } = this.#parts;
    const entry = shelf.entry(url);
    if (entry === undefined) return undefined;
    const look = await lookAt(layout, entry);
    if (look === "sound") return entry.replica;
    if (look === "doubtful") return await this.prove(url);
    await lose(entry, look);
    return undefined;
  }

  /** The replica, if it is here and its bytes have the right hash. Rejects as `check` does, and when it was stopped. */
  async prove(url: DataUrl): Promise<Replica | undefined> {
    let proof = this.#proofs.get(url);
    if (proof === undefined) {
      proof = this.#prove(url).finally(() => this.#proofs.delete(url));
      this.#proofs.set(url, proof);
    }
    return await proof;
  }

  async #prove(url: DataUrl): Promise<Replica | undefined> {
    const { layout, shelf, thread, lose } = this.#parts;
    const entry = shelf.entry(url);
    if (entry === undefined) return undefined;
    try {
      const { sha256 } = await thread.hash(pathOf(layout, url), this.#controller.signal);
      if (sha256 === entry.replica.sha256) {
        await shelf.confirm(entry);
        return entry.replica;
      }
      await lose(entry, { reason: "its bytes are not those that were saved", isDamaged: true });
    } catch (error) {
      const fault = faultIn(error);
      if (fault === undefined) throw error;
      await lose(entry, fault);
    }
    return undefined;
  }

  /** One after the other. One that cannot be looked at stays as it is. */
  async #checkDoubtful(): Promise<void> {
    for (const url of this.#parts.doubtful) {
      if (this.#controller.signal.aborted) return;
      await this.check(url).catch(() => {});
    }
  }
}

const OF_THE_FILE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "EIO"]);

/** What a failure to hash says of the file itself; `undefined`: nothing. */
function faultIn(error: unknown): Fault | undefined {
  if (!(error instanceof ThreadError) || error.failure.type !== "system") return undefined;
  const { code } = error.failure;
  return OF_THE_FILE.has(code) ? { reason: error.message, isDamaged: code !== "ENOENT" } : undefined;
}
