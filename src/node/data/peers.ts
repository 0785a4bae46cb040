import { Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { createInterface } from "node:readline";
import { problemAsError } from "../../client/connection/http.ts";
import { KitchenError, messageOf } from "../../core/errors.ts";
import { CLUSTER_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../core/version.ts";
import type { NodeFacts } from "../facts.ts";

const CONNECT_TIMEOUT_MS = 3_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

export interface PeersOptions {
  readonly cluster: string;
  /** What this node shows to others of its cluster. */
  readonly token: string | null;
}

/** Whom to ask. */
export interface Peer extends Pick<NodeFacts, "url"> {
  /** For people. */
  readonly name: string;
}

export interface PeerRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly signal?: AbortSignal;
  /** A peer that says nothing for so long is given up. */
  readonly idleMs: number;
}

/** Asks other nodes of the cluster. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** The answer as JSON. @throws KitchenError what the peer answered; `KS_UNAVAILABLE` when it did not */
  async ask(peer: Peer, request: PeerRequest): Promise<unknown> {
    const body = await bodyOf(await this.#open(peer, request));
    return body.length === 0 ? undefined : JSON.parse(body.toString());
  }

  /** The lines of an answer, each as JSON, as they come. @throws as {@link ask} */
  async *lines(peer: Peer, request: PeerRequest): AsyncGenerator {
    const response = await this.#open(peer, request);
    try {
      for await (const line of createInterface({ input: response, crlfDelay: Infinity }))
        if (line !== "") yield JSON.parse(line);
    } catch (error) {
      const why = messageOf(error);
      throw unreachable(peer, `the connection broke off (${why})`, error);
    }
    if (!response.complete) throw unreachable(peer, "the connection broke off");
  }

  close(): void {
    this.#agent.destroy();
  }

  async #open(peer: Peer, request: PeerRequest): Promise<IncomingMessage> {
    const response = await this.#send(peer, request);
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    const type = response.headers["content-type"]?.split(";")[0] ?? "";
    throw problemAsError(
      { status, type, body: await bodyOf(response) },
      peer.url ?? new URL("http://unknown/"),
    );
  }

  #send(peer: Peer, { method, path, body, signal, idleMs }: PeerRequest): Promise<IncomingMessage> {
    const { cluster, token } = this.#options;
    const { url } = peer;
    if (url === undefined) return Promise.reject(unreachable(peer, "it has not said where it is"));
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(new URL(path, url), {
        method,
        agent: this.#agent,
        timeout: CONNECT_TIMEOUT_MS,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          [PROTOCOL_HEADER]: PROTOCOL_VERSION,
          [CLUSTER_HEADER]: cluster,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
        },
      });
      outgoing.on("socket", (socket) => socket.setTimeout(idleMs));
      outgoing.on("timeout", () => outgoing.destroy(new Error(`it said nothing for ${idleMs} ms`)));
      outgoing.on("error", (error) => reject(unreachable(peer, error.message, error)));
      outgoing.on("response", (response) => {
        // Told by the stream that is read: without a listener here it would end the process.
        response.on("error", () => {});
        resolve(response);
      });
      outgoing.end(text);
    });
  }
}

/** What a peer says in a line under `error`. */
export function saidError(value: unknown): Error {
  const isProblem = typeof value === "object" && value !== null && "detail" in value;
  return new Error(isProblem ? String(value.detail) : "it failed and did not say why");
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MAX_ANSWER_BYTES)
      throw new KitchenError("KS_TOO_LARGE", "A node's answer is larger than 16 MiB");
  }
  return Buffer.concat(chunks);
}

function unreachable({ name, url }: Peer, why: string, cause?: unknown): KitchenError {
  return new KitchenError("KS_UNAVAILABLE", `Cannot reach the node ${name} at ${url?.href ?? "?"}: ${why}`, {
    cause,
  });
}
