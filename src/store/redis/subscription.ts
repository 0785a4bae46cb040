import type { Redis } from "ioredis";
import type { NodeName } from "../../core/ids.ts";
import type { StoreEvent } from "../port.ts";
import { parseEvents, parseWakes } from "./events.ts";

/** A subscriber owes no answers, so it is asked for one this often: only so is a dead connection noticed. */
const PING_EVERY_MS = 5_000;

interface SubscriptionOptions {
  readonly events: string;
  readonly wakes: string;
  readonly node: NodeName;
  readonly onEvent: (event: StoreEvent) => void;
}

/** Hears a node's channels on a connection of its own, over and over when that breaks. */
export class Subscription {
  readonly #options: SubscriptionOptions;
  #redis: Redis | undefined;
  #pinging: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /** Takes ownership of the connection. Resolves when nothing can be missed any more. */
  async start(redis: Redis): Promise<void> {
    this.#redis = redis;
    if (this.#isClosed) return redis.disconnect();
    redis.on("messageBuffer", (channel: Buffer, message: Buffer) => this.#hear(channel.toString(), message));
    try {
      await this.#subscribe(redis);
    } catch (error) {
      redis.disconnect();
      throw error;
    }
    redis.on("close", () => this.#break());
    redis.on("ready", () => void this.#resume(redis));
    this.#pinging = setInterval(() => {
      if (redis.status === "ready") void redis.ping().catch(ignore);
    }, PING_EVERY_MS).unref();
  }

  /** Says to claim and to read again; for when something may have been missed. */
  wakeAll(): void {
    if (!this.#isClosed) this.#options.onEvent({ type: "wake", queue: "*", delayMs: 0 });
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#pinging);
    this.#redis?.disconnect();
  }

  #break(): void {
    if (!this.#isClosed) this.#options.onEvent({ type: "broken" });
  }

  async #resume(redis: Redis): Promise<void> {
    try {
      await this.#subscribe(redis);
      this.wakeAll();
    } catch {
      // The connection broke again: the next "ready" comes here again.
    }
  }

  async #subscribe(redis: Redis): Promise<void> {
    await redis.subscribe(this.#options.events, this.#options.wakes);
  }

  #hear(channel: string, message: Buffer): void {
    if (this.#isClosed) return;
    const { events, node, onEvent } = this.#options;
    const heard = channel === events ? parseEvents(message) : parseWakes(message.toString(), node);
    for (const event of heard) onEvent(event);
  }
}

/** A ping that fails has done its work: the connection is made again. */
function ignore(): void {
  // nothing
}
