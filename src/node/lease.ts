import type { NodeName } from "../core/ids.ts";
import { KitchenError } from "../core/errors.ts";
import type { Exhausted, Store } from "../store/port.ts";

const TAKE_PAUSE_MS = 500;

export interface LeaseOptions {
  readonly store: Store;
  readonly name: NodeName;
  readonly incarnation: string;
  readonly leaseMs: number;
  readonly maxDeaths: number;
  readonly facts: () => string;
  /** The lease had run out: the node's jobs are others' now. It is taken up again when this resolves. */
  readonly onLapsed: () => void;
  readonly onExhausted: (jobs: readonly Exhausted[]) => void;
  /** The lease was renewed. */
  readonly onBeat: () => void;
  readonly warn: (message: string) => void;
}

/** Holds the node's place in the cluster by heartbeats, and looks after nodes that lost theirs. */
export class Lease {
  readonly #options: LeaseOptions;
  #heldUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** @throws KitchenError `KS_CONFLICT` when another process holds the name */
  async take(): Promise<void> {
    const { store, name, incarnation, leaseMs, facts, warn } = this.#options;
    // A node that was killed holds its name until its lease runs out: its successor waits for that.
    const deadlineMs = Date.now() + leaseMs + TAKE_PAUSE_MS;
    while ((await store.register({ name, incarnation, leaseMs, facts: facts() })) === "taken") {
      if (Date.now() > deadlineMs)
        throw new KitchenError(
          "KS_CONFLICT",
          `Cannot join the cluster as "${name}": a node of this name is there already (choose another with --node-name)`,
        );
      warn(
        `the name "${name}" is still held by another process, perhaps one that was killed: waiting for its lease to end`,
      );
      await new Promise((resolve) => setTimeout(resolve, TAKE_PAUSE_MS));
    }
    // What an earlier process of this name was running waits for somebody to sweep it up.
    await this.#sweep();
    this.#schedule();
  }

  /** Tells the store of changed facts at once. */
  async renew(): Promise<void> {
    const { store, name, incarnation, leaseMs, facts, onLapsed } = this.#options;
    const reply = await store.heartbeat({ name, incarnation, leaseMs, facts: facts() });
    if (reply === "renewed") return;
    onLapsed();
    await store.register({ name, incarnation, leaseMs, facts: facts() });
    await this.#sweep();
  }

  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#options.store.leave(this.#options.name);
  }

  #schedule(): void {
    // A third of the lease: two heartbeats may be lost.
    this.#timer = setTimeout(() => void this.#beat(), this.#options.leaseMs / 3);
  }

  async #beat(): Promise<void> {
    const { onBeat, warn } = this.#options;
    try {
      await this.renew();
      await this.#sweep();
      onBeat();
    } catch (error) {
      warn(`cannot renew the lease: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (this.#timer !== undefined) this.#schedule();
  }

  async #sweep(): Promise<void> {
    const { store, name, maxDeaths, onExhausted } = this.#options;
    const exhausted = await store.sweep(name, maxDeaths);
    if (exhausted.length > 0) onExhausted(exhausted);
  }
}
