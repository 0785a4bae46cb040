import type { Agent, IncomingMessage, request as httpRequest, RequestOptions } from "node:http";
import { KitchenError, isErrorCode } from "../core/errors.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../core/version.ts";

/** Requests beyond this wait for a free connection. */
const MAX_SOCKETS = 32;
const MAX_RESPONSE_BYTES = 1024 * 1024 * 1024;

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly type?: string;
  readonly accept?: string;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal;
  /** The answer may take long to come: the request must not hold up others. Default: false. */
  readonly isLong?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/**
 * HTTP to one node: kept-alive connections, the token, problems as errors. node:http, because it is there at once; but
 * not by an import statement, because that reads all exports, and since Node 22 some of them load undici.
 */
export class Http {
  readonly url: URL;
  readonly #token: string | undefined;
  readonly #agent: Agent;
  /** Without a limit, for requests that wait for something to happen. */
  readonly #longAgent: Agent;
  readonly #request: typeof httpRequest;

  constructor(url: URL, token: string | undefined) {
    this.url = url;
    this.#token = token;
    const module =
      url.protocol === "https:"
        ? process.getBuiltinModule("node:https")
        : process.getBuiltinModule("node:http");
    this.#agent = new module.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
    this.#longAgent = new module.Agent({ keepAlive: true });
    this.#request = module.request;
  }

  /** Another set of connections to the same node. */
  sibling(): Http {
    return new Http(this.url, this.#token);
  }

  /** The whole response. @throws KitchenError what the node answered, or `KS_UNAVAILABLE` when nobody did */
  async fetch(request: HttpRequest): Promise<HttpResponse> {
    const chunks: Buffer[] = [];
    const response = await this.open(request);
    const { status, type } = headOf(response);
    let size = 0;
    try {
      for await (const chunk of response) {
        const bytes: Buffer = chunk;
        size += bytes.length;
        if (size > MAX_RESPONSE_BYTES)
          throw new KitchenError("KS_TOO_LARGE", "The node's answer is larger than 1 GiB");
        chunks.push(bytes);
      }
    } catch (cause) {
      throw cause instanceof KitchenError ? cause : this.#unreachable(cause);
    }
    return { status, type, body: Buffer.concat(chunks) };
  }

  /** As {@link fetch}, for an answer that must be JSON. */
  async fetchJson(request: HttpRequest): Promise<unknown> {
    const response = checked(await this.fetch(request), this.url);
    return response.body.length === 0 ? undefined : JSON.parse(response.body.toString("utf8"));
  }

  /** A response whose body is still to come. `alone`: on a connection of its own. */
  open(request: HttpRequest, { alone = false }: { alone?: boolean } = {}): Promise<IncomingMessage> {
    const { method, path, type, accept, body, signal, isLong = false } = request;
    const options: RequestOptions = {
      method,
      agent: alone ? false : isLong ? this.#longAgent : this.#agent,
      headers: {
        [PROTOCOL_HEADER]: PROTOCOL_VERSION,
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(type === undefined ? {} : { "content-type": type }),
        ...(accept === undefined ? {} : { accept }),
        ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
      },
      ...(signal === undefined ? {} : { signal }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = this.#request(new URL(path, this.url), options, (response) => {
        const mismatch = protocolMismatch(response, this.url);
        if (mismatch === undefined) return resolve(response);
        response.destroy();
        reject(mismatch);
      });
      outgoing.on("error", (error) => reject(this.#unreachable(error)));
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
    this.#longAgent.destroy();
  }

  #unreachable(cause: unknown): KitchenError {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const at = this.url.href;
    if (code === "ECONNREFUSED")
      return new KitchenError(
        "KS_UNAVAILABLE",
        `Cannot reach a node at ${at}: nothing listens there (start one with: npx kitchensink start)`,
        { cause },
      );
    if (code === "ENOTFOUND" || code === "EAI_AGAIN")
      return new KitchenError(
        "KS_UNAVAILABLE",
        `Cannot reach a node at ${at}: there is no host "${this.url.hostname}" (check the address)`,
        { cause },
      );
    return new KitchenError(
      "KS_UNAVAILABLE",
      `Cannot reach the node at ${at}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

function headOf(response: IncomingMessage): { status: number; type: string } {
  return { status: response.statusCode ?? 0, type: response.headers["content-type"]?.split(";")[0] ?? "" };
}

function protocolMismatch(response: IncomingMessage, url: URL): KitchenError | undefined {
  const theirs = response.headers[PROTOCOL_HEADER];
  if (theirs === undefined || theirs === String(PROTOCOL_VERSION)) return undefined;
  return new KitchenError(
    "KS_UNAVAILABLE",
    `Cannot talk to the node at ${url.href}: it speaks version ${String(theirs)} of the protocol, this client version ${PROTOCOL_VERSION} (install the same release on both sides)`,
  );
}

/** The response, if it is a success. @throws KitchenError what its problem says */
export function checked(response: HttpResponse, url: URL): HttpResponse {
  if (response.status < 400) return response;
  throw problemAsError(response, url);
}

/** The error that a failed response tells of. */
export function problemAsError({ status, type, body }: HttpResponse, url: URL): KitchenError {
  if (type === "application/problem+json") {
    const problem: unknown = JSON.parse(body.toString("utf8"));
    if (typeof problem === "object" && problem !== null && "detail" in problem) {
      const code = "code" in problem && isErrorCode(problem.code) ? problem.code : "KS_UNAVAILABLE";
      return new KitchenError(code, `${String(problem.detail)} (${url.href})`);
    }
  }
  return new KitchenError(
    "KS_UNAVAILABLE",
    `What answers at ${url.href} is no Kitchen Sink node (HTTP ${status}): check the address and the port`,
  );
}
