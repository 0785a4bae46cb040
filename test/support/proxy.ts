import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { pipeline, Transform } from "node:stream";
import { onTestFinished } from "vitest";

/** What happens to bytes on their way. */
interface Weather {
  /** Every piece comes this much later. */
  delayMs: number;
  /** Bytes of open and new connections go nowhere, and nobody is told: a network that is cut. */
  isBlackHole: boolean;
  /** New connections are closed at once. */
  isRefusing: boolean;
}

/** What one connection has brought. */
export interface Passage {
  /** What was said first: of HTTP, the head of the first request. */
  readonly head: string;
  /** Bytes that came back. */
  readonly bytesBack: number;
}

/** A real TCP way to a server of this machine, which a test can cut, slow down, or have swallow everything. */
export class Proxy {
  readonly weather: Weather = { delayMs: 0, isBlackHole: false, isRefusing: false };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  readonly #passages: { head: string; bytesBack: number }[] = [];
  readonly #watching = new Set<() => void>();

  private constructor(port: number, host: string) {
    this.#server = createServer((socket) => {
      if (this.weather.isRefusing) socket.destroy();
      else this.#join(socket, connect(port, host));
    });
  }

  /** Opens a way to `port`; it is closed with the test. */
  static async to(port: number, host = "127.0.0.1"): Promise<Proxy> {
    const proxy = new Proxy(port, host);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    onTestFinished(() => proxy.close());
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
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

  /** Cuts every open connection; new ones are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Swallows all bytes from now on, without a word. */
  swallow(): void {
    this.weather.isBlackHole = true;
  }

  /** Lets bytes through again, those first that were swallowed, as TCP would send them again. */
  release(): void {
    this.weather.isBlackHole = false;
    for (const go of this.#held.splice(0)) go();
  }

  /** Cuts every connection and refuses new ones. */
  refuse(): void {
    this.weather.isRefusing = true;
    this.cut();
  }

  accept(): void {
    this.weather.isRefusing = false;
  }

  close(): void {
    this.refuse();
    this.#server.close();
  }

  #join(near: Socket, far: Socket): void {
    const passage = { head: "", bytesBack: 0 };
    this.#passages.push(passage);
    const note = {
      there: (chunk: Buffer) => void (passage.head ||= chunk.toString("latin1")),
      back: (chunk: Buffer) => void (passage.bytesBack += chunk.length),
    };
    for (const [from, to, take] of [
      [near, far, note.there],
      [far, near, note.back],
    ] as const) {
      this.#sockets.add(from);
      from.once("close", () => this.#sockets.delete(from));
      pipeline(from, this.#way(take), to, () => {
        near.destroy();
        far.destroy();
      });
    }
  }

  #way(take: (chunk: Buffer) => void): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const go = (): void => {
          if (this.weather.isBlackHole) return void this.#held.push(go);
          take(chunk);
          for (const look of this.#watching) look();
          done(null, chunk);
        };
        if (this.weather.delayMs === 0) go();
        else setTimeout(go, this.weather.delayMs);
      },
    });
  }
}
