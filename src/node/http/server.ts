import type { IncomingMessage } from "node:http";
import Fastify, { type FastifyInstance } from "fastify";
import { MEDIA_TYPE } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import { CLUSTER_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../core/version.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import { problemOf, sendProblem } from "./problems.ts";

export const MAX_BODY_BYTES: number = 64 * 1024 * 1024;
/** Slow bodies and headers are cut off after this. */
const REQUEST_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 10_000;
/** What machines ask for that look after the node, without a token. */
const OPEN_ROUTES: ReadonlySet<string> = new Set(["/health", "/ready"]);
const UPLOAD_TYPE = "application/octet-stream";

export interface ServerOptions extends GuardOptions {
  readonly cluster: string;
}

/** The HTTP server without routes: who may call, what bodies are taken, what errors look like. */
export function createServer(guardOptions: ServerOptions): FastifyInstance {
  const { cluster, warn } = guardOptions;
  const guard = new Guard(guardOptions);
  const server = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    // Not for uploads of any size: those have a time without bytes instead, and all others get theirs below.
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 3_500 },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  server.server.maxConnections = MAX_CONNECTIONS;
  // Bodies stay bytes: the node never decodes what a user encoded. All other content types get 415.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    [MEDIA_TYPE, "application/json"],
    { parseAs: "buffer" },
    (_request, body, done) => done(null, body),
  );
  server.addHook("onRequest", async (request, reply) => {
    // On the bare response: some answers are written without the framework.
    reply.raw.setHeader(PROTOCOL_HEADER, PROTOCOL_VERSION);
    guard.checkOrigin(request.headers);
    checkProtocol(request.headers[PROTOCOL_HEADER]);
    checkCluster(request.headers[CLUSTER_HEADER], cluster);
    if (!OPEN_ROUTES.has(request.routeOptions.url ?? "")) await guard.checkToken(request.headers, request.ip);
    if (request.headers["content-type"] !== UPLOAD_TYPE) limitTime(request.raw);
  });
  server.setErrorHandler((error, _request, reply) => {
    const problem = problemOf(error);
    if (problem.code === "KS_INTERNAL")
      warn(`a request failed: ${error instanceof Error ? error.stack : String(error)}`);
    return sendProblem(reply, problem);
  });
  server.setNotFoundHandler((request) => {
    throw Object.assign(
      new Error(`There is no ${request.method} ${request.url.split("?")[0]} here: see docs/protocol.md`),
      { statusCode: 404 },
    );
  });
  return server;
}

/** Told that there are none, fastify does not load what compiles them, which takes as long as all else of it. */
function noSchemas(): never {
  throw new KitchenError("KS_INTERNAL", "No route of a node has a schema");
}

/** Clients of this project say which version they speak; others need not. @throws KitchenError `KS_UNSUPPORTED` */
function checkProtocol(theirs: string | string[] | undefined): void {
  if (theirs === undefined || theirs === String(PROTOCOL_VERSION)) return;
  throw new KitchenError(
    "KS_UNSUPPORTED",
    `This node speaks version ${PROTOCOL_VERSION} of the protocol, the client version ${String(theirs)}: install the same release on both sides`,
  );
}

/** Nodes say of which cluster they are; clients need not. @throws KitchenError `KS_CONFLICT` */
function checkCluster(theirs: string | string[] | undefined, ours: string): void {
  if (theirs === undefined || theirs === ours) return;
  throw new KitchenError(
    "KS_CONFLICT",
    `This node belongs to the cluster "${ours}", the one that asks to "${String(theirs)}": give both the same --cluster, or another --node-url`,
  );
}

/** A body that is still not here after a while never will be. */
function limitTime(request: IncomingMessage): void {
  if (request.complete) return;
  const timer = setTimeout(() => request.destroy(), REQUEST_TIMEOUT_MS).unref();
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
}

/** A request's body as bytes; empty when there was none. */
export function bodyBytes(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}

/** A request's body as a JSON object. @throws KitchenError `KS_BAD_REQUEST` */
export function bodyObject(body: unknown): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bodyBytes(body)).toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Falls through to the one message.
  }
  throw new KitchenError("KS_BAD_REQUEST", "The body is not a JSON object");
}
