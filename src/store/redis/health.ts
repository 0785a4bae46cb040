import type { Cluster, Redis } from "ioredis";

const LONGEST_RETRY_MS = 1_000;
const CLOSED = "the connection was closed";

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

interface OpenOptions {
  readonly timeoutMs: number;
  /** What it means when the connection ends without any error. */
  readonly closed?: string;
}

/** How one connection is: open or not, what broke it last, and who waits for it. */
export class Health {
  readonly #waiting = new Set<Waiting>();
  #client: Redis | Cluster | undefined;
  #isOpen = false;
  #isUp = false;
  #lastError: unknown;
  /** When the connection broke last, by `performance.now()`. */
  #downSinceMs = 0;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** For ioredis: the first try to connect is the only one, later ones go on for ever. */
  readonly retryMs = (tries: number): number | null =>
    this.#isOpen ? Math.min(50 * 2 ** Math.min(tries, 10), LONGEST_RETRY_MS) : null;

  /** Connects, with the reason when that fails. Closes the client then. */
  async open(client: Redis | Cluster, { timeoutMs, closed = CLOSED }: OpenOptions): Promise<void> {
    this.#client = client;
    this.#watch(client);
    let overdue: NodeJS.Timeout | undefined;
    // Not only connect() tells: for a cluster that is there and cannot serve, its promise never settles.
    const ended = new Promise<never>((_resolve, reject) => {
      client.once("end", () => reject(new Error(closed)));
      overdue = setTimeout(() => {
        this.#lastError = new Error(`no answer in ${timeoutMs} ms`);
        client.disconnect();
        reject(this.#lastError);
      }, timeoutMs);
    });
    try {
      await Promise.race([client.connect(), ended]);
      this.#isOpen = true;
    } catch (error) {
      client.disconnect();
      throw this.#lastError ?? error;
    } finally {
      clearTimeout(overdue);
    }
  }

  /**
   * Resolves when calls can be sent; `undefined`: now. Rejects when there has been no connection for so long: at once, when
   * it has been longer. ioredis has a queue for calls that wait, but empties it without a connection only where there is a
   * single server, and lets each of them wait anew.
   */
  whenReady(timeoutMs: number): Promise<void> | undefined {
    if (this.#client?.status === "ready") return undefined;
    const nowMs = performance.now();
    // Its status changes a moment before it says so.
    const leftMs = (this.#isUp ? nowMs : this.#downSinceMs) + timeoutMs - nowMs;
    return new Promise((resolve, reject) => {
      const waiting = {
        resolve,
        reject,
        timer: setTimeout(() => {
          this.#waiting.delete(waiting);
          reject(this.#lastError ?? new Error(`no connection for ${timeoutMs} ms`));
        }, leftMs),
      };
      this.#waiting.add(waiting);
    });
  }

  /** Closes the client; who waits for it is told. */
  close(): void {
    this.#client?.disconnect();
    this.#giveUp();
  }

  #watch(client: Redis | Cluster): void {
    const note = (error: unknown): void => {
      if (this.#client?.status !== "ready") this.#lastError = error;
    };
    client.on("error", (error: unknown) => {
      // These two say less than what was heard before.
      const isSummary =
        error instanceof Error && /^(Failed to refresh slots|All sentinels are unreach)/.test(error.message);
      if (!isSummary || this.#lastError === undefined) note(error);
    });
    client.on("node error", note);
    client.on("sentinelError", note);
    client.on("ready", () => {
      this.#isUp = true;
      this.#lastError = undefined;
      this.#settle(({ resolve }) => resolve());
    });
    client.on("close", () => {
      if (this.#isUp) this.#downSinceMs = performance.now();
      this.#isUp = false;
    });
    client.on("end", () => this.#giveUp());
  }

  #giveUp(): void {
    this.#settle(({ reject }) => reject(this.#lastError ?? new Error(CLOSED)));
  }

  #settle(how: (waiting: Waiting) => void): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const waiting of all) {
      clearTimeout(waiting.timer);
      how(waiting);
    }
  }
}
