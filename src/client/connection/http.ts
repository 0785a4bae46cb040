import { setMaxListeners } from "node:events";
import type {
  Agent,
  ClientRequest,
  IncomingMessage,
  request as httpRequest,
  RequestOptions,
} from "node:http";
import type { Socket } from "node:net";
import { urlToHttpOptions } from "node:url";
import { KitchenError, isErrorCode, messageOf } from "../../core/errors.ts";
import { PATIENCE } from "./patience.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../core/version.ts";
import type { GetOptions } from "../../transfer/get.ts";
import { parseSource } from "../../transfer/source.ts";

/** Requests beyond this wait for a free connection. */
const MAX_SOCKETS = 32;
/** What a node says has no more bytes: an answer, or a frame of a stream. */
export const MAX_RESPONSE_BYTES: number = 1024 * 1024 * 1024;

/** The code of an error for which a request was given up on a connection that was there. */
export const SILENCE = "ESILENT";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | StreamedBody;
  /** When it is aborted, the request rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** The answer may take long to come: the request must not hold up others. Default: false. */
  readonly isLong?: boolean;
  /** The connection is given up after this long without a byte in either direction. Default: never; 45 s for JSON. */
  readonly silenceMs?: number;
}

export interface OpenOptions {
  /** On a connection of its own. Default: false. */
  readonly alone?: boolean;
  /** Is given what ends the request; costs a fraction of an AbortSignal. */
  readonly onSent?: (end: (reason: Error) => void) => void;
}

/** A body that is made while it is sent. */
export interface StreamedBody {
  /**
   * Writes all of it, and adds what comes behind it; whoever calls ends it. When the connection fails it stops, and the
   * request tells why. What it throws is a failure of its own, with which the request rejects.
   */
  readonly writeTo: (request: ClientRequest) => Promise<void>;
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
  /** What all requests have in common. */
  readonly #target: RequestOptions;
  readonly #headers: Readonly<Record<string, string | number>>;
  readonly #agent: Agent;
  /** Without a limit, for requests that wait for something to happen. */
  readonly #longAgent: Agent;
  readonly #request: typeof httpRequest;
  readonly #closing = new AbortController();

  constructor(url: URL, token: string | undefined) {
    this.url = url;
    this.#token = token;
    // As many as downloads at once: no leak, as Node would say from the eleventh on.
    setMaxListeners(0, this.#closing.signal);
    const module =
      url.protocol === "https:"
        ? process.getBuiltinModule("node:https")
        : process.getBuiltinModule("node:http");
    this.#agent = new module.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
    this.#longAgent = new module.Agent({ keepAlive: true });
    this.#request = module.request;
    // Once, for taking an address apart takes longer than all else that a small request needs.
    this.#target = urlToHttpOptions(url);
    this.#headers = {
      [PROTOCOL_HEADER]: PROTOCOL_VERSION,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  /** Another set of connections to the same node. */
  sibling(): Http {
    return new Http(this.url, this.#token);
  }

  /** The whole response. @throws KitchenError what the node answered, or `KS_UNAVAILABLE` when nobody did */
  async fetch(request: HttpRequest): Promise<HttpResponse> {
    return await this.whole(await this.open(request), request.signal);
  }

  /** What {@link open} gave, with all of its body. */
  async whole(response: IncomingMessage, signal?: AbortSignal): Promise<HttpResponse> {
    const chunks: Buffer[] = [];
    let size = 0;
    const keep = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_RESPONSE_BYTES)
        throw new KitchenError(
          "KS_TOO_LARGE",
          "Cannot take the node's answer: it is larger than 1 GiB (ask for less, or save it as RemoteData)",
        );
    };
    await this.receive(response, keep, signal);
    return { ...headOf(response), body: Buffer.concat(chunks, size) };
  }

  /**
   * Has `take` have the body of what {@link open} gave, by events: an iterator takes longer than a small answer.
   *
   * @throws KitchenError `KS_UNAVAILABLE` when it breaks off; and what `take` throws
   */
  receive(response: IncomingMessage, take: (chunk: Buffer) => void, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => reject(this.#failure(cause, signal));
      response.on("data", (chunk: Buffer) => {
        try {
          take(chunk);
        } catch (error) {
          reject(error);
          response.destroy();
        }
      });
      response.on("end", resolve);
      response.on("error", fail);
      response.on("close", () => fail(new Error("the connection was closed")));
    });
  }

  /** The body of what {@link open} gave, piece by piece. @throws KitchenError `KS_UNAVAILABLE` when it breaks off */
  async *reading(response: IncomingMessage, signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer, void, undefined>;
    try {
      for (;;) {
        const next = await chunks.next().catch((cause: unknown) => {
          throw this.#failure(cause, signal);
        });
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      // Whoever stops before the end leaves a connection that nobody else can use.
      if (!response.readableEnded) response.destroy();
    }
  }

  /** As {@link fetch}, for an answer that must be JSON: a node that lives has it soon. */
  async fetchJson(request: HttpRequest): Promise<unknown> {
    const { silenceMs } = PATIENCE;
    const response = checked(await this.fetch({ silenceMs, ...request }), this.url);
    return response.body.length === 0 ? undefined : parseJson(response.body);
  }

  /** Sends JSON; the answer must be JSON too. */
  postJson(
    path: string,
    body: object,
    limits: Pick<HttpRequest, "silenceMs" | "isLong"> = {},
  ): Promise<unknown> {
    const type = "application/json";
    return this.fetchJson({ method: "POST", path, type, body: JSON.stringify(body), ...limits });
  }

  /** A response whose body is still to come. */
  open(request: HttpRequest, { alone = false, onSent }: OpenOptions = {}): Promise<IncomingMessage> {
    if (this.#closing.signal.aborted) return Promise.reject(closedError());
    const { method, path, type, accept, headers, body, signal, isLong = false, silenceMs } = request;
    const options: RequestOptions = {
      ...this.#target,
      method,
      path,
      agent: alone ? false : isLong ? this.#longAgent : this.#agent,
      headers: {
        ...this.#headers,
        ...(type === undefined ? {} : { "content-type": type }),
        ...(accept === undefined ? {} : { accept }),
        ...(body === undefined || isStreamed(body) ? {} : { "content-length": Buffer.byteLength(body) }),
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
      ...(silenceMs === undefined ? {} : { timeout: silenceMs }),
    };
    return new Promise((resolve, reject) => {
      let heard: IncomingMessage | undefined;
      const outgoing = this.#request(options, (response) => {
        heard = response;
        const mismatch = protocolMismatch(response, this.url);
        if (mismatch === undefined) return resolve(response);
        response.destroy();
        reject(mismatch);
      });
      outgoing.on("error", (error) => reject(this.#failure(error, signal)));
      outgoing.on("timeout", () =>
        ifSilent(outgoing.socket, silenceMs ?? 0, (error) => (heard ?? outgoing).destroy(error)),
      );
      onSent?.((reason) => outgoing.destroy(reason));
      if (!isStreamed(body)) return void outgoing.end(body);
      sendStreamed(outgoing, body).catch((error: unknown) => {
        reject(error);
        outgoing.destroy();
      });
    });
  }

  /** How to get a path without this class; `undefined`: there is no way but by it. */
  direct(path: string, signal?: AbortSignal): Pick<GetOptions, "source" | "headers" | "signal"> | undefined {
    if (this.url.protocol !== "http:") return undefined;
    const { signal: closing } = this.#closing;
    const token = this.#token === undefined ? "" : `authorization: Bearer ${this.#token}\r\n`;
    return {
      source: parseSource(new URL(path, this.url).href),
      headers: `${PROTOCOL_HEADER}: ${PROTOCOL_VERSION}\r\n${token}`,
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
    };
  }

  /** Ends what is under way, and refuses all that comes after. */
  close(): void {
    this.#closing.abort(closedError());
    this.#agent.destroy();
    this.#longAgent.destroy();
  }

  /** Why a request failed: what its caller gave as the reason, when it is the caller or the client that gave it up. */
  #failure(cause: unknown, signal?: AbortSignal): Error {
    if (signal?.aborted === true) return signal.reason as Error;
    if (cause instanceof KitchenError) return cause;
    return this.#closing.signal.aborted ? closedError() : this.#unreachable(cause);
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
    return new KitchenError("KS_UNAVAILABLE", `Cannot reach the node at ${at}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** What came while this process was busy with something else is read first: then it was no silence. */
function ifSilent(socket: Socket | null, silenceMs: number, give: (error: Error) => void): void {
  const moved = (): number => (socket === null ? 0 : socket.bytesRead + socket.bytesWritten);
  const before = moved();
  const wasThere = socket?.connecting === false;
  setImmediate(() => {
    if (moved() !== before) return;
    const error = new Error(`nothing was heard for ${silenceMs / 1_000} s`);
    give(wasThere ? Object.assign(error, { code: SILENCE }) : error);
  });
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** @throws KitchenError `KS_UNAVAILABLE` */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new KitchenError(
      "KS_UNAVAILABLE",
      "Cannot read the node's answer: it is not JSON (check the address, and what stands between)",
      { cause },
    );
  }
}

function isStreamed(body: HttpRequest["body"]): body is StreamedBody {
  return typeof body === "object" && "writeTo" in body;
}

/** An answer that does not wait for the body ends the body. @throws why the body could not be made */
async function sendStreamed(outgoing: ClientRequest, { writeTo }: StreamedBody): Promise<void> {
  outgoing.on("response", (response) =>
    response.on("end", () => {
      if (!outgoing.writableFinished) outgoing.destroy();
    }),
  );
  await writeTo(outgoing);
  if (!outgoing.destroyed) outgoing.end();
}

/** Of what {@link Http.open} gave. */
export function headOf(response: IncomingMessage): { readonly status: number; readonly type: string } {
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

/** Whether nobody answered, or the node's store did not: it may be different a moment later. */
export function isUnavailable(error: unknown): error is KitchenError {
  return error instanceof KitchenError && error.code === "KS_UNAVAILABLE";
}

/** Why nothing more is done for a client. */
export function closedError(): KitchenError {
  return new KitchenError("KS_CONNECTION_LOST", "The client was closed: make a new one");
}

/** The response, if it is a success. @throws KitchenError what its problem says */
export function checked(response: HttpResponse, url: URL): HttpResponse {
  if (response.status < 400) return response;
  throw problemAsError(response, url);
}

/** The error that a failed response tells of. */
export function problemAsError({ status, type, body }: HttpResponse, url: URL): KitchenError {
  if (type === "application/problem+json") {
    const problem = parseJson(body);
    if (typeof problem === "object" && problem !== null && "detail" in problem && isText(problem.detail)) {
      const code = "code" in problem && isErrorCode(problem.code) ? problem.code : "KS_UNAVAILABLE";
      return new KitchenError(code, `${problem.detail} (${url.href})`);
    }
  }
  return new KitchenError(
    "KS_UNAVAILABLE",
    `What answers at ${url.href} is no Kitchen Sink node (HTTP ${status}): check the address and the port`,
  );
}
