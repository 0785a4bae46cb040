import { onTestFinished } from "vitest";
import { type Observer, TcpProxy } from "./tcp-proxy.ts";

/** What one connection has brought. */
export interface Passage {
  /** What was said first: of HTTP, the head of the first request. */
  readonly head: string;
  /** Bytes that came back. */
  readonly bytesBack: number;
}

/** A proxy of a test's own, which remembers what went through. */
export class Proxy extends TcpProxy {
  readonly #passages: { head: string; bytesBack: number }[] = [];
  readonly #watching = new Set<() => void>();

  /** Opens a way to `port`; it is closed with the test. */
  static async to(port: number, host = "127.0.0.1"): Promise<Proxy> {
    const proxy = new Proxy({ port, host });
    onTestFinished(() => proxy.close());
    return await proxy.open();
  }

  /** All connections so far, the first ones first. */
  get passages(): readonly Passage[] {
    return this.#passages;
  }

  /** Resolves when some connection fits. */
  async passes(fits: (passage: Passage) => boolean): Promise<void> {
    if (this.#passages.some(fits)) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!this.#passages.some(fits)) return;
        this.#watching.delete(look);
        resolve();
      };
      this.#watching.add(look);
    });
  }

  protected override observe(): Observer {
    const passage = { head: "", bytesBack: 0 };
    this.#passages.push(passage);
    return (chunk, isReply) => {
      if (isReply) passage.bytesBack += chunk.length;
      else passage.head ||= chunk.toString("latin1");
      for (const look of this.#watching) look();
    };
  }
}
