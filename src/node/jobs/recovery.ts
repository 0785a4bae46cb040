import { messageOf } from "../../core/errors.ts";
import type { JobId, NodeName } from "../../core/ids.ts";
import type { Store, StoreEvent } from "../../store/port.ts";
import type { BlockedJobs } from "./blocked-jobs.ts";
import { catchUp } from "../watching/catch-up.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Hub } from "../watching/hub.ts";
import type { Lease } from "../lease.ts";
import type { StoreWriter } from "./store-writer.ts";

type FinishedEvent = Extract<StoreEvent, { type: "finished" }>;

export interface RecoveryOptions {
  readonly node: NodeName;
  readonly store: Store;
  readonly hub: Hub;
  readonly lease: Pick<Lease, "renew">;
  readonly writer: Pick<StoreWriter, "retry">;
  readonly dispatcher: Pick<Dispatcher, "compare" | "wake">;
  readonly blocked: Pick<BlockedJobs, "recheck">;
  readonly warn: (message: string) => void;
}

/**
 * Gets a node and the store to know the same again when the connection was broken: events may have been missed, and the
 * store may be another server, which has not heard of the last moments of the one before, or of nothing at all.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  #isBehind = false;
  #isRunning = false;
  /** While events may be missed, the ends that came: what was printed before them may not have. */
  #late: Map<JobId, FinishedEvent> | undefined;
  #gaps = 0;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** Events may be missed from now on. */
  missEvents(): void {
    this.#late ??= new Map();
    this.#gaps += 1;
  }

  /** The store says that a job has ended. Whoever waits for it listens no longer than that. */
  finished(event: FinishedEvent): void {
    if (this.#late !== undefined) this.#late.set(event.id, event);
    else this.#options.hub.finished(event.id, event.state, event.outcome);
  }

  /** The store can be reached again. */
  begin(): void {
    this.#isBehind = true;
    void this.#run();
  }

  /** The lease was renewed: what did not succeed is tried again. */
  onBeat(): void {
    const { dispatcher, warn } = this.#options;
    if (this.#isBehind) return void this.#run();
    dispatcher
      .compare({ hasBroken: false })
      .catch((error: unknown) => warn(`cannot ask what runs here: ${String(error)}`));
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    const { dispatcher, warn } = this.#options;
    this.#isRunning = true;
    try {
      while (this.#isBehind) await this.#recover();
    } catch (error) {
      this.#isBehind = true;
      warn(`cannot catch up with the store: ${messageOf(error)}`);
    }
    this.#isRunning = false;
    dispatcher.wake();
  }

  async #recover(): Promise<void> {
    const { node, store, hub, lease, writer, dispatcher, blocked } = this.#options;
    this.#isBehind = false;
    const gaps = this.#gaps;
    await lease.renew();
    writer.retry();
    await dispatcher.compare({ hasBroken: true });
    await catchUp(store, hub, node);
    blocked.recheck();
    if (gaps === this.#gaps) this.#tellLate();
  }

  #tellLate(): void {
    const late = this.#late;
    this.#late = undefined;
    for (const event of late?.values() ?? []) this.finished(event);
  }
}
