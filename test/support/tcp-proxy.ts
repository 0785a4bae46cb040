import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { pipeline, Transform } from "node:stream";

/** What happens to bytes on their way. */
interface Weather {
  /** Every piece comes this much later. */
  delayMs: number;
  /** Bytes of open and new connections go nowhere, and nobody is told: a network that is cut. */
  isBlackHole: boolean;
  /** As a black hole, but only for what the server says. */
  losesReplies: boolean;
  /** New connections are closed at once. */
  isRefusing: boolean;
}

/** Where a server of this machine is reached, or is to be. */
interface Place {
  readonly port: number;
  readonly host?: string;
}

/** Sees what one connection lets through, there and back. */
export type Observer = (chunk: Buffer, isReply: boolean) => void;

/** A real TCP way to a server of this machine, which can be cut, slowed down, or made to swallow everything. */
export class TcpProxy {
  readonly weather: Weather = { delayMs: 0, isBlackHole: false, losesReplies: false, isRefusing: false };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];

  constructor({ port, host = "127.0.0.1" }: Place) {
    this.#server = createServer((socket) => {
      if (this.weather.isRefusing) socket.destroy();
      else this.#join(socket, connect(port, host));
    });
  }

  /** Opens the way at a place; by default at a free port. Whoever opens it closes it. */
  async open({ port, host = "127.0.0.1" }: Place = { port: 0 }): Promise<this> {
    this.#server.listen(port, host);
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many pieces were swallowed and not let through yet. */
  get held(): number {
    return this.#held.length;
  }

  /** Cuts every open connection; new ones are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Swallows all bytes from now on, without a word. */
  swallow(): void {
    this.weather.isBlackHole = true;
  }

  /** Swallows from now on what the server says. */
  swallowReplies(): void {
    this.weather.losesReplies = true;
  }

  /** Lets bytes through again, those first that were swallowed, as TCP would send them again. */
  release(): void {
    this.weather.isBlackHole = false;
    this.weather.losesReplies = false;
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

  /** Called for each connection. */
  protected observe(): Observer {
    return () => {};
  }

  #join(near: Socket, far: Socket): void {
    const observer = this.observe();
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.once("close", () => this.#sockets.delete(from));
      pipeline(from, this.#way(observer, from === far), to, () => {
        near.destroy();
        far.destroy();
      });
    }
  }

  #way(observer: Observer, isReply: boolean): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const go = (): void => {
          if (this.weather.isBlackHole || (isReply && this.weather.losesReplies))
            return void this.#held.push(go);
          observer(chunk, isReply);
          done(null, chunk);
        };
        if (this.weather.delayMs === 0) go();
        else setTimeout(go, this.weather.delayMs);
      },
    });
  }
}
