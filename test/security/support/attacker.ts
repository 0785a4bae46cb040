import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import type { Cluster } from "kitchensink/testing";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Attempt {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** An address of this machine to call from: failures are counted for each. */
  readonly from?: string;
}

/** A request as an attacker would make it: the path goes out as it is written, and every header is the test's own. */
export function send(
  url: string,
  { method = "GET", path, headers = {}, body, from }: Attempt,
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        method,
        path,
        headers,
        agent: false,
        ...(from === undefined ? {} : { localAddress: from }),
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
        response.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

export const JSON_TYPE = { "content-type": "application/json" };

export function authorized({ token }: Pick<Cluster, "token">): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** Bytes on a bare connection, and all that comes back. */
export class RawConnection {
  readonly socket: Socket;
  /** All that came, as latin1. */
  received = "";
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => (this.received += chunk.toString("latin1")));
    // Whoever refuses may cut the connection while it is still written to.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ""));
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** The status of each answer that came. */
  get statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  /** Resolves when as many answers have begun to come, or the connection is closed. */
  async answers(count = 1): Promise<number[]> {
    await Promise.race([
      this.closed,
      new Promise<void>((resolve) => {
        const look = (): void => void (this.statuses.length >= count && resolve());
        this.socket.on("data", look);
        look();
      }),
    ]);
    return this.statuses;
  }
}

/** Sends one text on a connection of its own, and waits for an answer that ends it. @returns what came */
export async function sendText(url: string, text: string): Promise<RawConnection> {
  const connection = await RawConnection.open(url);
  await connection.send(text).answers();
  return connection;
}
