import type { ServerResponse } from "node:http";

/** A reader that takes nothing for so long is cut off. */
const STALLED_MS = 60_000;

/** Sends events in the form of the web's EventSource, to readers who may be slow. */
export class ServerSentEvents {
  readonly #response: ServerResponse;
  #fullSinceMs: number | undefined;

  constructor(response: ServerResponse, onClose: () => void) {
    this.#response = response;
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // Proxies that gather what they pass on would keep it back.
      "x-accel-buffering": "no",
    });
    response.flushHeaders();
    response.on("error", () => {});
    response.on("close", onClose);
    response.on("drain", () => (this.#fullSinceMs = undefined));
  }

  /** Whether the reader has taken what was sent: whoever sends waits for that, so that nothing ever piles up. */
  get hasRoom(): boolean {
    const sinceMs = this.#fullSinceMs;
    if (sinceMs !== undefined && performance.now() - sinceMs > STALLED_MS) this.#response.destroy();
    return sinceMs === undefined;
  }

  send(events: readonly (readonly [name: string, data: object])[]): void {
    const text = events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join("");
    if (!this.#response.write(text)) this.#fullSinceMs = performance.now();
  }
}
