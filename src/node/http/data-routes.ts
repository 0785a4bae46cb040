import type { ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { parseDataType, type DataFacts } from "../../core/data.ts";
import { parseDataUrl, type DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import { parseNodeName, type NodeName } from "../../core/ids.ts";
import { parseRange } from "../../data/ranges.ts";
import type { DataReader } from "../../data/reader.ts";
import type { ByteRange } from "../../data/types.ts";
import type { NodeFacts } from "../facts.ts";
import { allAway, noneGave } from "../data/missing.ts";
import type { DataService } from "../data/data-service.ts";
import { digestBehind, digestIn } from "./digests.ts";
import { namesTag } from "./entity-tags.ts";
import { forward, FORWARDED_HEADER, forwardToFirst } from "./forward.ts";
import { parseCount } from "./parse-count.ts";

export interface DataRoutesOptions {
  readonly data: DataService;
  readonly node: NodeName;
}

const UPLOAD_ID = /^[A-Za-z0-9-]{8,64}$/;
const CODEC = /^[a-z][a-z0-9.-]{0,31}$/;
/** Uploads go on where they were, unless they are silent for longer. */
const BODY_IDLE_MS = 60_000;
const LONGEST_WAIT_MS = 10_000;
const MOST_UPLOADS = 1_000;

interface Query {
  Querystring: { node?: string };
}
interface Upload extends Query {
  Params: { id: string };
}

/** `/v1/data`: bytes in and out, at any node of the cluster. `/v1/replicas`: this node's own, for others of its cluster. */
export function addDataRoutes(server: FastifyInstance, { data, node }: DataRoutesOptions): void {
  /** Where uploads went that this node passed on, so that they go on there. */
  const passedOn = new LRUCache<string, NodeName>({ max: MOST_UPLOADS });
  /** Of those, the nodes that ended meanwhile, and what they had with them: it begins anew elsewhere. */
  const lostWith = new LRUCache<string, readonly NodeName[]>({ max: MOST_UPLOADS });
  const destination = async (
    request: Pick<FastifyRequest<Query>, "headers" | "method" | "query">,
    upload: string | undefined,
  ): Promise<NodeFacts | "here"> => {
    if (request.headers[FORWARDED_HEADER] !== undefined) return "here";
    const { node: named } = request.query;
    // What has begun is where it began, also when there is no room for more by now.
    const isBegun =
      request.method !== "PUT" || (parseCount("upload-offset", request.headers["upload-offset"]) ?? 0) > 0;
    const wanted = named === undefined ? isBegun && passedOn.get(upload ?? "") : parseNodeName(named);
    if (wanted === undefined) return "here";
    const to =
      wanted === false
        ? await data.destination(sizeOf(request.headers) ?? 0, { without: lostWith.get(upload ?? "") })
        : await data.place(wanted, { isKept: isBegun });
    if (upload !== undefined && to !== "here") passedOn.set(upload, to.name);
    return to;
  };

  /** Whether a failure to reach the node that keeps an upload says that the upload is lost. */
  const isLost = (upload: string, error: unknown): boolean => {
    const keeper = passedOn.get(upload);
    if (keeper === undefined || !hasEnded(error)) return false;
    passedOn.delete(upload);
    lostWith.set(upload, [...(lostWith.get(upload) ?? []), keeper]);
    return true;
  };

  server.addHook("onRequest", async (request, reply) => {
    if (/^\/v1\/(data|replicas|pulls|pipelines)\b/.test(request.url)) data.transfers.add(reply.raw);
  });

  void server.register(async (scope) => {
    // Bodies of any size go to a file as they come.
    scope.addContentTypeParser("application/octet-stream", (_request, body, done) => done(null, body));

    scope.put<Query>("/v1/data/*", { bodyLimit: Number.MAX_SAFE_INTEGER }, async (request, reply) => {
      const { headers } = request;
      const url = dataUrlOf(request, "/v1/data/");
      await data.results.permit(url);
      const named = headers["kitchensink-upload"];
      const uploadId = named === undefined ? undefined : parseUploadId(named);
      const offset = parseCount("upload-offset", headers["upload-offset"]) ?? 0;
      const sha256 = digestIn(headers, offset);
      const to = await destination(request, uploadId);
      request.raw.setTimeout(BODY_IDLE_MS);
      if (to !== "here")
        return await forward(request, reply, { ...place(to), from: node }).catch((error: unknown) => {
          if (uploadId === undefined || !request.raw.readableDidRead) throw error;
          // Broken off there, it is here, too: its sender asks how far it came, and goes on.
          reply.hijack();
          reply.raw.destroy();
        });
      const arrived = await data.directory.receive(request.raw, {
        url,
        codec: codecOf(headers["kitchensink-codec"]),
        type: parseDataType(headers["kitchensink-type"] ?? "file"),
        size: sizeOf(headers),
        sha256,
        sha256Behind: digestBehind(request.raw, offset),
        uploadId,
        offset,
        ownsPieces: true,
      });
      const replica = await data.replicas.enter(arrived);
      return await reply
        .code(arrived.isKnown ? 200 : 201)
        .type("application/json")
        .send(JSON.stringify(await data.infoOf(replica)));
    });
  });

  server.head<Upload>("/v1/uploads/:id", async (request, reply) => {
    const id = parseUploadId(request.params.id);
    const to = await destination(request, id);
    if (to !== "here")
      try {
        return await forward(request, reply, { ...place(to), from: node });
      } catch (error) {
        if (!isLost(id, error)) throw error;
      }
    const offset = await data.directory.uploadOffset(id);
    if (offset === undefined) return await reply.code(404).send();
    return await reply.code(200).header("upload-offset", offset).send();
  });

  server.delete<Upload>("/v1/uploads/:id", async (request, reply) => {
    const id = parseUploadId(request.params.id);
    const to = await destination(request, id);
    if (to !== "here") return await forward(request, reply, { ...place(to), from: node });
    await data.directory.dropUpload(id);
    return await reply.code(204).send();
  });

  server.head("/v1/data/*", async (request, reply) => {
    const facts = await data.record(dataUrlOf(request, "/v1/data/"));
    const etag = etagOf(facts);
    if (namesTag(request.headers["if-none-match"], etag))
      return await reply.code(304).headers({ etag }).send();
    return await reply
      .code(200)
      .headers({ ...headersOf(facts), "content-length": facts.size })
      .send();
  });

  server.get("/v1/data/*", async (request, reply) => {
    const url = dataUrlOf(request, "/v1/data/");
    const reader = await ownReader(data, url);
    if (reader !== undefined) return await sendBytes(request, reply, reader);
    const record = await data.record(url);
    const holders = await data.holders(record);
    if (holders.length === 0 || request.headers[FORWARDED_HEADER] !== undefined) throw allAway(record);
    const failures = await forwardToFirst(request, reply, { nodes: holders.map(place), from: node });
    // It may be known by now that the last replica is gone.
    if (failures.length > 0) throw noneGave(await data.record(url), failures);
  });

  server.get<{ Querystring: { wait?: string } }>("/v1/replicas/*", async (request, reply) => {
    const url = dataUrlOf(request, "/v1/replicas/");
    const waitMs = Math.min(parseCount("wait", request.query.wait) ?? 0, LONGEST_WAIT_MS);
    return await sendBytes(request, reply, await data.directory.openReader(url, { waitMs }));
  });

  server.delete<Query>("/v1/data/*", async (request, reply) => {
    const { query } = request;
    const at = query.node === undefined ? undefined : parseNodeName(query.node);
    const deleted = await data.delete(dataUrlOf(request, "/v1/data/"), at);
    return await reply.type("application/json").send(JSON.stringify(deleted));
  });
}

/** A url's parts are escaped each: what is escaped cannot lead elsewhere. @throws KitchenError `KS_BAD_REQUEST` */
function dataUrlOf(request: FastifyRequest, prefix: string): DataUrl {
  const path = request.url.split("?", 1)[0] ?? "";
  const parts = path.slice(prefix.length).split("/");
  try {
    const decoded = parts.map((part) => decodeURIComponent(part));
    if (decoded.some((part) => part.includes("/"))) throw new URIError("a part has an escaped slash");
    return parseDataUrl(decoded.join("/"));
  } catch (cause) {
    if (cause instanceof KitchenError) throw cause;
    throw new KitchenError(
      "KS_BAD_REQUEST",
      `Not a data url: ${path.slice(0, 100)}: its escapes are malformed`,
      { cause },
    );
  }
}

/** Of this node's replica; `undefined` when there is none, or none that is sound. */
async function ownReader({ directory }: DataService, url: DataUrl): Promise<DataReader | undefined> {
  if (directory.find(url) === undefined) return undefined;
  return await directory.openReader(url).catch((error: unknown) => {
    if (directory.find(url) === undefined) return undefined;
    throw error;
  });
}

/** Nothing listens there any more: what was held in the memory of the node is gone with it. */
function hasEnded(error: unknown): boolean {
  const cause = error instanceof KitchenError ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}

function place({ name, url }: { readonly name: NodeName; readonly url: URL | undefined }): {
  readonly name: NodeName;
  readonly url: URL;
} {
  if (url !== undefined) return { name, url };
  throw new KitchenError("KS_DATA_UNAVAILABLE", `Cannot reach ${name}: it has not said where it is`);
}

/** Takes over the reader. Answers 200, 206, 304 or 416. */
async function sendBytes(request: FastifyRequest, reply: FastifyReply, reader: DataReader): Promise<void> {
  const { facts } = reader;
  const { headers } = request;
  const etag = etagOf(facts);
  reply.hijack();
  if (namesTag(headers["if-none-match"], etag)) return await endWith(reader, reply.raw, 304, { etag });
  const isSame = headers["if-range"] === undefined || headers["if-range"] === etag;
  const range = isSame ? parseRange(headers.range, facts.size) : undefined;
  if (range === "unsatisfiable")
    return await endWith(reader, reply.raw, 416, { "content-range": `bytes */${facts.size}` });
  reply.raw.writeHead(range === undefined ? 200 : 206, { ...headersOf(facts), ...lengthOf(facts, range) });
  reply.raw.flushHeaders();
  try {
    await reader.sendTo(reply.raw, range);
    reply.raw.end();
  } catch {
    // It destroyed the response, which was not whole: nothing more can be said.
  }
}

async function endWith(
  reader: DataReader,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  await reader.close();
  response.writeHead(status, headers).end();
}

function etagOf({ sha256 }: DataFacts): string {
  return `"${sha256}"`;
}

function headersOf(facts: DataFacts): Record<string, string> {
  const { codec, type } = facts;
  return {
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    etag: etagOf(facts),
    "kitchensink-type": type,
    ...(codec === null ? {} : { "kitchensink-codec": codec }),
  };
}

function lengthOf({ size }: DataFacts, range: ByteRange | undefined): Record<string, string | number> {
  if (range === undefined) return { "content-length": size };
  const { start, end } = range;
  return { "content-length": end - start, "content-range": `bytes ${start}-${end - 1}/${size}` };
}

type Header = string | string[] | undefined;

/** A codec's name, or none. It goes into headers again. @throws KitchenError `KS_BAD_REQUEST` */
export function codecOf(value: unknown): string | null {
  if (value == null || value === "") return null;
  if (typeof value === "string" && CODEC.test(value)) return value;
  throw new KitchenError(
    "KS_BAD_REQUEST",
    "Not a codec's name: expected lower case letters, digits, . and -",
  );
}

function parseUploadId(text: Header): string {
  if (typeof text === "string" && UPLOAD_ID.test(text)) return text;
  throw new KitchenError("KS_BAD_REQUEST", "Not an upload's id: expected 8 to 64 letters, digits and -");
}

/** Of the whole: as it was said, or what is still to come and what came before. */
function sizeOf(headers: FastifyRequest["headers"]): number | undefined {
  const said = parseCount("upload-length", headers["upload-length"]);
  if (said !== undefined) return said;
  const length = parseCount("content-length", headers["content-length"]);
  return length === undefined
    ? undefined
    : length + (parseCount("upload-offset", headers["upload-offset"]) ?? 0);
}
