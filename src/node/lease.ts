import type { NodeName } from "../core/ids.ts";
import { KitchenError, messageOf } from "../core/errors.ts";
import type { ClusterTerms, NodeRegistration, RegisterReply } from "../store/membership.ts";
import type { BlockedJob, Exhausted, Store, UnplacedJob } from "../store/port.ts";
import { NO_TOKEN } from "./options.ts";

const TAKE_PAUSE_MS = 500;

export interface LeaseOptions {
  readonly store: Store;
  readonly name: NodeName;
  /** The cluster's name, for people. */
  readonly cluster: string;
  readonly incarnation: string;
  readonly terms: ClusterTerms;
  readonly leaseMs: number;
  readonly maxDeaths: number;
  readonly facts: () => string;
  /** The lease had run out: the node's jobs are others' now. It is taken up again when this resolves. */
  readonly onLapsed: () => Promise<void>;
  readonly onExhausted: (jobs: readonly Exhausted[]) => void;
  /** Jobs that wait for nobody who is there; each sweep lists them until they are placed. */
  readonly onUnplaced: (jobs: readonly UnplacedJob[]) => void;
  /** Blocked jobs that wait for nothing any more, in case nobody who is there knows of them. */
  readonly onReady: (jobs: readonly BlockedJob[]) => void;
  /** The node has its place in the cluster: when it joins, and when it had lost it. */
  readonly onJoined: () => Promise<void>;
  /** The lease was renewed. */
  readonly onBeat: () => void;
  readonly warn: (message: string) => void;
}

/** Holds the node's place in the cluster by heartbeats, and looks after nodes that lost theirs. */
export class Lease {
  readonly #options: LeaseOptions;
  #heldUntilMs = 0;
  #renewing: Promise<void> = Promise.resolve();
  /** The renewal that has not begun yet. */
  #next: Promise<void> | undefined;
  #hasLeft = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Whether the store knows that the node lives, as far as the node knows. */
  get isHeld(): boolean {
    return performance.now() < this.#heldUntilMs;
  }

  /**
   * Takes the node's place; when that fails half-way, leaves it.
   * @throws KitchenError `KS_CONFLICT` when another process holds the name, or the other nodes have other terms
   */
  async take(): Promise<void> {
    await this.#join();
    try {
      // What an earlier process of this name was running waits for somebody to sweep it up.
      await this.#sweep();
      this.#schedule();
      await this.#options.onJoined();
    } catch (error) {
      await this.leave().catch(() => {});
      throw error;
    }
  }

  /** Nodes that were killed hold their places until their leases run out: who is in their way waits for that. */
  async #join(): Promise<void> {
    const { name, leaseMs, warn } = this.#options;
    const deadlineMs = performance.now() + leaseMs + TAKE_PAUSE_MS;
    let isUnsure = false;
    for (;;) {
      const reply = await this.#register();
      if (reply.type === "registered") return;
      isUnsure ||= reply.type === "taken" || !reply.isCertain;
      if (!isUnsure || performance.now() > deadlineMs) throw this.#cannotJoin(reply);
      warn(
        reply.type === "taken"
          ? `the name "${name}" is still held by another process, perhaps one that was killed: waiting for its lease to end`
          : "there were nodes with another token or protocol, perhaps gone by now: waiting for their leases to end",
      );
      await new Promise((resolve) => setTimeout(resolve, TAKE_PAUSE_MS));
    }
  }

  /** Tells the store of changed facts at once. One after the other; who asks while one waits to begin shares it. */
  renew(): Promise<void> {
    const begin = (): Promise<void> => {
      this.#next = undefined;
      return this.#renew();
    };
    this.#next ??= this.#renewing = this.#renewing.then(begin, begin);
    return this.#next;
  }

  async #renew(): Promise<void> {
    if (this.#hasLeft) return;
    const { store, onLapsed, onJoined } = this.#options;
    const heldUntilMs = performance.now() + this.#options.leaseMs;
    if ((await store.heartbeat(this.#registration())) === "renewed") {
      this.#heldUntilMs = heldUntilMs;
      return;
    }
    await onLapsed();
    const reply = await this.#register();
    if (reply.type !== "registered") throw this.#cannotJoin(reply);
    await this.#sweep();
    await onJoined();
  }

  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#hasLeft = true;
    await this.#renewing.catch(() => {});
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
      warn(`cannot renew the lease: ${messageOf(error)}`);
    }
    if (this.#timer !== undefined) this.#schedule();
  }

  async #sweep(): Promise<void> {
    const { store, name, maxDeaths, onExhausted, onUnplaced, onReady } = this.#options;
    const { exhausted, unplaced, ready } = await store.sweep(name, maxDeaths);
    if (exhausted.length > 0) onExhausted(exhausted);
    if (unplaced.length > 0) onUnplaced(unplaced);
    if (ready.length > 0) onReady(ready);
  }

  async #register(): Promise<RegisterReply> {
    // From before the question: the store counts from when it gets it.
    const heldUntilMs = performance.now() + this.#options.leaseMs;
    const reply = await this.#options.store.register(this.#registration());
    if (reply.type === "registered") this.#heldUntilMs = heldUntilMs;
    return reply;
  }

  #registration(): NodeRegistration {
    const { name, incarnation, terms, leaseMs, facts } = this.#options;
    return { name, incarnation, terms, leaseMs, facts: facts() };
  }

  #cannotJoin(reply: Exclude<RegisterReply, { type: "registered" }>): KitchenError {
    const { cluster, name, terms } = this.#options;
    const why =
      reply.type === "taken"
        ? `as "${name}": a node of this name is there already (choose another with --node-name)`
        : `"${cluster}": ${differenceOf(terms, reply.theirs)}`;
    return new KitchenError("KS_CONFLICT", `Cannot join the cluster ${why}`);
  }
}

/** What the two differ in, and the way out. */
function differenceOf(own: ClusterTerms, theirs: ClusterTerms): string {
  if (own.protocol !== theirs.protocol)
    return `its nodes speak version ${theirs.protocol} of the protocol, this node version ${own.protocol}: install the same release on all`;
  if (theirs.token === NO_TOKEN)
    return "its nodes have no token, and this node has one: start it with --no-token, or all with a token";
  const ownToken = own.token === NO_TOKEN ? "this node has none" : `this node's is ${own.token}`;
  return `its nodes have another token (fingerprint ${theirs.token}, ${ownToken}): start this node with their token (--token-file, or KITCHENSINK_TOKEN)`;
}
