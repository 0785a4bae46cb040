import Fastify, { type FastifyInstance } from "fastify";
import { MEDIA_TYPE } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../core/version.ts";
import { Guard, type GuardOptions } from "./guard.ts";
import { problemOf, sendProblem } from "./problems.ts";

export const MAX_BODY_BYTES: number = 64 * 1024 * 1024;
/** Slow bodies and headers are cut off after this. */
const REQUEST_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 10_000;

/** The HTTP server without routes: who may call, what bodies are taken, what errors look like. */
export function createServer(guardOptions: GuardOptions): FastifyInstance {
  const guard = new Guard(guardOptions);
  const server = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: 75_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 500 },
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
    if (request.routeOptions.url !== "/health") await guard.checkToken(request.headers, request.ip);
  });
  server.setErrorHandler((error, _request, reply) => {
    const problem = problemOf(error);
    if (problem.code === "KS_INTERNAL")
      guardOptions.warn(`a request failed: ${error instanceof Error ? error.stack : String(error)}`);
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

/** Clients of this project say which version they speak; others need not. @throws KitchenError `KS_UNSUPPORTED` */
function checkProtocol(theirs: string | string[] | undefined): void {
  if (theirs === undefined || theirs === String(PROTOCOL_VERSION)) return;
  throw new KitchenError(
    "KS_UNSUPPORTED",
    `This node speaks version ${PROTOCOL_VERSION} of the protocol, the client version ${String(theirs)}: install the same release on both sides`,
  );
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
