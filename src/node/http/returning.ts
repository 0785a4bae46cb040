import type { Hub } from "../watching/hub.ts";

/** A client that comes back asks at once; one that does not holds up others who wait for the same jobs no longer. */
const ASKS_WITHIN_MS = 5_000;

/**
 * Clients whose streams broke and are open again, and that have not asked yet for what they missed. Until they do, the ends
 * of their jobs wait: a client listens to a job no longer than to its end, and would miss what was printed before it.
 */
export class Returning {
  readonly #hub: Pick<Hub, "awaitedBy" | "tellFirst">;
  readonly #asked = new Map<string, () => void>();

  constructor(hub: Pick<Hub, "awaitedBy" | "tellFirst">) {
    this.#hub = hub;
  }

  /** The client's stream is about to open. Those who open their first one wait for nothing yet. */
  opens(client: string): void {
    const ids = this.#hub.awaitedBy(client);
    if (ids.length > 0) void this.#hub.tellFirst(ids, () => this.#untilAsked(client));
  }

  /** The client asks, and is told now. */
  asks(client: string): void {
    this.#asked.get(client)?.();
  }

  async #untilAsked(client: string): Promise<void> {
    // It may come back again before it has asked.
    this.asks(client);
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#asked.delete(client);
        resolve();
      };
      const timer = setTimeout(settle, ASKS_WITHIN_MS).unref();
      this.#asked.set(client, settle);
    });
  }
}
