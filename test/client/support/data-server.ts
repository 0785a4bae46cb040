import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { PROTOCOL_VERSION } from "../../../src/core/version.ts";
import { runSubmission } from "./job-runner.ts";

export interface Saved {
  readonly bytes: Buffer;
  readonly codec: string | null;
  readonly type: string;
  readonly createdAt: string;
  /** Names of nodes; those that end with `?` do not live. */
  readonly nodes: string[];
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** Once all of it has come. */
  readonly trailers: IncomingMessage["trailers"];
}

/** The routes of a node that are about data, in memory, with faults on demand. */
export class DataServer {
  readonly data = new Map<string, Saved>();
  readonly uploads = new Map<string, Buffer>();
  readonly asked: Asked[] = [];
  /** Each cuts one answer with data off after so many bytes of its body. */
  readonly cutDownloads: number[] = [];
  /** Each cuts one upload off after so many bytes. */
  readonly cutUploads: number[] = [];
  /** Sends other bytes than those that the hash is of. */
  isDamaging = false;
  /** What broadcasts and adoptions answer with. */
  lines: object[] = [];
  placement: unknown;
  /** Where workers of the node are told that its files are; undefined: it keeps none. */
  localFolder: string | undefined = "";
  /** Called when a worker has been told where a file is. */
  onLocal: () => void = () => {};
  events: ServerResponse | undefined;
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** Listens on a free port, until the test ends. */
  static async start(): Promise<DataServer> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const made = new DataServer(server);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      made.#answer(request, response).catch(() => request.socket.destroy());
    });
    onTestFinished(async () => await made.stop());
    return made;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  /** Puts data there, as another client would have. */
  put(url: string, bytes: Uint8Array, facts: Partial<Saved> = {}): void {
    const usual = { codec: null, type: "file", createdAt: "2026-01-02T03:04:05.678Z", nodes: ["node1"] };
    this.data.set(url, { ...usual, ...facts, bytes: Buffer.from(bytes) });
  }

  /** What was asked for in all, such as `GET /v1/data/x`. */
  get log(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = request;
    this.asked.push({
      method,
      path,
      headers,
      get trailers() {
        return request.trailers;
      },
    });
    response.setHeader("kitchensink-protocol", PROTOCOL_VERSION);
    const { pathname, searchParams } = new URL(path, this.url);
    if (pathname.startsWith("/v1/data/")) {
      const url = pathname.slice("/v1/data/".length).split("/").map(decodeURIComponent).join("/");
      if (method === "PUT") return await this.#save(request, response, url, searchParams.get("node"));
      if (method === "DELETE") return this.#delete(response, url, searchParams.get("node"));
      return this.#read(request, response, url);
    }
    if (pathname.startsWith("/v1/uploads/")) return this.#received(response, pathname.slice(12));
    if (pathname === "/v1/events") return this.#open(response);
    if (pathname.endsWith("/placement")) return sendJson(response, 200, this.placement);
    const body = await bodyOf(request);
    if (pathname === "/v1/jobs") return await runSubmission(body, response, () => this.events);
    if (pathname === "/v1/catalog" && method === "GET") return this.#search(response, searchParams);
    const asked = JSON.parse(body.toString()) as { urls: string[]; url: string };
    if (pathname === "/v1/local") {
      const file = this.localFolder === undefined ? undefined : join(this.localFolder, asked.url);
      const why = "the node keeps no files";
      sendJson(
        response,
        200,
        file === undefined ? { path: null, why } : { path: file, data: this.#info(asked.url) },
      );
      return this.onLocal();
    }
    if (pathname === "/v1/catalog")
      return sendJson(response, 200, { data: asked.urls.map((url) => this.#info(url)) });
    response.setHeader("content-type", "application/x-ndjson");
    response.end(this.lines.map((line) => JSON.stringify(line)).join("\n"));
  }

  #open(response: ServerResponse): void {
    this.events = response;
    response.writeHead(200).flushHeaders();
  }

  #read(request: IncomingMessage, response: ServerResponse, url: string): void {
    const saved = this.data.get(url);
    if (saved === undefined)
      return problem(response, 404, "KS_NO_SUCH_DATA", `Nothing is saved under ${url}`);
    const { bytes, codec, type } = saved;
    const etag = `"${sha256(bytes)}"`;
    response.setHeader("etag", etag).setHeader("accept-ranges", "bytes").setHeader("kitchensink-type", type);
    if (codec !== null) response.setHeader("kitchensink-codec", codec);
    if (request.headers["if-none-match"] === etag) return void response.writeHead(304).end();
    const isCurrent = [undefined, etag].includes(request.headers["if-range"] as string | undefined);
    const range = isCurrent ? /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") : null;
    const [start, end] = [Number(range?.[1] ?? 0), range?.[2] ? Number(range[2]) + 1 : bytes.length];
    if (range !== null && start >= bytes.length) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      return;
    }
    const part = bytes.subarray(start, end);
    response.setHeader("content-length", part.length);
    response.statusCode = range === null ? 200 : 206;
    if (range !== null)
      response.setHeader("content-range", `bytes ${start}-${start + part.length - 1}/${bytes.length}`);
    if (request.method === "HEAD") return void response.end();
    const sent = this.isDamaging ? part.map((byte) => byte ^ 1) : part;
    const cut = this.cutDownloads.shift();
    if (cut === undefined) response.end(sent);
    else response.write(sent.subarray(0, cut), () => response.socket?.end());
  }

  async #save(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
    node: string | null,
  ): Promise<void> {
    const { headers } = request;
    const id = String(headers["kitchensink-upload"]);
    const known = this.uploads.get(id) ?? Buffer.alloc(0);
    if (known.length !== Number(headers["upload-offset"] ?? 0))
      return problem(response, 409, "KS_BAD_REQUEST", `The upload is at ${known.length}`);
    let received = known;
    const cut = this.cutUploads.shift();
    for await (const chunk of request) {
      received = Buffer.concat([received, chunk as Buffer]);
      this.uploads.set(id, received);
      if (cut === undefined || received.length < cut) continue;
      this.uploads.set(id, received.subarray(0, cut));
      request.socket.destroy();
      return;
    }
    this.uploads.delete(id);
    const digest = `sha-256=:${createHash("sha256").update(received).digest("base64")}:`;
    const announced = headers["repr-digest"] ?? request.trailers["repr-digest"];
    if (announced !== undefined && announced !== digest)
      return problem(response, 400, "KS_BAD_REQUEST", "The bytes are not those of the digest");
    const before = this.data.get(url);
    if (before !== undefined && !before.bytes.equals(received))
      return problem(response, 409, "KS_DATA_EXISTS", `Other data is saved under ${url}`);
    const codec = headers["kitchensink-codec"];
    this.put(url, received, {
      codec: typeof codec === "string" ? codec : null,
      type: String(headers["kitchensink-type"]),
      nodes: [node ?? "node1"],
    });
    sendJson(response, before === undefined ? 201 : 200, this.#info(url));
  }

  #received(response: ServerResponse, id: string): void {
    const upload = this.uploads.get(id);
    if (upload === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "upload-offset": upload.length }).end();
  }

  #delete(response: ServerResponse, url: string, node: string | null): void {
    const saved = this.data.get(url);
    if (saved === undefined)
      return problem(response, 404, "KS_NO_SUCH_DATA", `Nothing is saved under ${url}`);
    const gone = saved.nodes.filter((name) => node === null || name === node);
    if (gone.length === saved.nodes.length) this.data.delete(url);
    sendJson(response, 200, {
      deleted: gone.filter((name) => !name.endsWith("?")),
      pending: gone.filter((name) => name.endsWith("?")),
    });
  }

  /** Two to a page, so that there are several. */
  #search(response: ServerResponse, query: URLSearchParams): void {
    const begin = (query.get("match") ?? "").replace(/\*+$/, "");
    const found = [...this.data.keys()]
      .filter((url) => url.startsWith(begin) && url > (query.get("after") ?? ""))
      .toSorted();
    const page = found.slice(0, 2);
    const next = found.length > page.length ? page.at(-1) : null;
    sendJson(response, 200, { data: page.map((url) => this.#info(url)), next });
  }

  #info(url: string): object | null {
    const saved = this.data.get(url);
    if (saved === undefined) return null;
    const { bytes, codec, type, createdAt, nodes } = saved;
    const replicas = nodes.map((node) => ({ node, url: `http://${node}/`, isAlive: !node.endsWith("?") }));
    return { url, size: bytes.length, sha256: sha256(bytes), codec, type, createdAt, replicas };
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, code: string, detail: string): void {
  response
    .writeHead(status, { "content-type": "application/problem+json" })
    .end(JSON.stringify({ status, code, detail }));
}
