import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { MAX_VALUES } from "../../codec/pack.ts";
import { MEDIA_TYPE } from "../../codec/wire.ts";
import { KitchenError } from "../../core/errors.ts";
import { isJsonWithin } from "../../core/json-shape.ts";
import { CLUSTER_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../core/version.ts";
import type { Guard } from "./guard.ts";
import { answerMalformed, limitTime } from "./patience.ts";
import { problemOf, sendProblem } from "./problems.ts";

export const MAX_BODY_BYTES: number = 64 * 1024 * 1024;
/** Slow bodies and headers are cut off after this. */
const REQUEST_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 10_000;
/** The dashboard's files, which hold no secrets: a browser asks for them before it has logged in. */
const PAGE_ROUTES = ["/", "/dashboard", "/dashboard/:file"];
/** What machines ask for that look after the node, without a token. */
const OPEN_ROUTES: ReadonlySet<string> = new Set(["/health", "/ready", ...PAGE_ROUTES]);
/** Whoever asks brings a code instead. */
const LOGIN_ROUTE = "/v1/login";
/** Pages of other sites can send these without asking, and no form can say that its body is JSON. */
const CHANGES: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

export interface ServerOptions {
  readonly guard: Guard;
  readonly warn: (message: string) => void;
  readonly cluster: string;
  /** How long a request's headers, and its body, may take to come. Default: 60,000. */
  readonly requestTimeoutMs?: number;
  /** Default: 10,000. */
  readonly maxConnections?: number;
}

/** The HTTP server without routes: who may call, what bodies are taken, what errors look like. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { warn, requestTimeoutMs = REQUEST_TIMEOUT_MS, maxConnections = MAX_CONNECTIONS } = options;
  const admit = admission(options);
  const refuse = (error: unknown, reply: FastifyReply): FastifyReply => {
    const problem = problemOf(error);
    if (problem.code === "KS_INTERNAL")
      warn(`a request failed: ${error instanceof Error ? error.stack : String(error)}`);
    return sendProblem(reply, problem);
  };
  const server = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    // Not for uploads of any size: those have a time without bytes instead, and all others get theirs below.
    requestTimeout: 0,
    http: {
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, requestTimeoutMs),
    },
    keepAliveTimeout: 75_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 3_500 },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    clientErrorHandler: (error, socket) => answerMalformed(error.code, socket),
    // What the router cannot read comes by no hook.
    frameworkErrors: async (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      try {
        await admit(request, reply);
        refuse(error, reply);
      } catch (refusal) {
        refuse(refusal, reply);
      }
    },
  });
  server.server.maxConnections = maxConnections;
  // Bodies stay bytes: the node never decodes what a user encoded. All other content types get 415.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    [MEDIA_TYPE, "application/json"],
    { parseAs: "buffer" },
    (_request, body, done) => done(null, body),
  );
  server.addHook("onRequest", async (request, reply) => {
    // First: whoever is refused may not hold the connection either.
    const isUnlimited = request.routeOptions.bodyLimit > MAX_BODY_BYTES;
    const stopWaiting = limitTime(request.raw, requestTimeoutMs);
    await admit(request, reply);
    if (isUnlimited) stopWaiting();
  });
  server.setErrorHandler((error, _request, reply) => refuse(error, reply));
  server.setNotFoundHandler((request) => {
    throw Object.assign(
      new Error(`There is no ${request.method} ${request.url.split("?")[0]} here: see docs/protocol.md`),
      { statusCode: 404 },
    );
  });
  return server;
}

type Admit = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Who and what is let in to any route, also to those that are not there. */
function admission(options: ServerOptions): Admit {
  const { guard } = options;
  return async (request, reply) => {
    const { headers, method } = request;
    // On the bare response: some answers are written without the framework.
    reply.raw.setHeader(PROTOCOL_HEADER, PROTOCOL_VERSION);
    // Whatever a job or a request put into an answer, no browser takes it for a page.
    reply.raw.setHeader("x-content-type-options", "nosniff");
    guard.checkOrigin(request.raw);
    checkProtocol(headers[PROTOCOL_HEADER]);
    checkCluster(headers[CLUSTER_HEADER], options.cluster);
    const route = request.routeOptions.url ?? "";
    if (!isOpen(method, route)) await guard.check({ method, route, headers, address: request.ip });
    if (CHANGES.has(method) && headers["content-type"] === undefined)
      throw new KitchenError(
        "KS_UNSUPPORTED",
        `Cannot take the request: ${method} needs a content-type header`,
      );
  };
}

function isOpen(method: string, route: string): boolean {
  return OPEN_ROUTES.has(route) || (method === "POST" && route === LOGIN_ROUTE);
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

const MAX_DEPTH = 100;
const BODY = { maxDepth: MAX_DEPTH, maxValues: MAX_VALUES };

/** A request's body as bytes; empty when there was none. */
export function bodyBytes(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}

/**
 * A request's body as a JSON object.
 * @throws KitchenError `KS_BAD_REQUEST`, or `KS_TOO_LARGE` for more values or levels than any message needs
 */
export function bodyObject(body: unknown): Readonly<Record<string, unknown>> {
  const value = bodyJson(body);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new KitchenError("KS_BAD_REQUEST", "The body is not a JSON object");
}

/** A request's body as JSON; `undefined` when it is none. @throws KitchenError `KS_TOO_LARGE`, as {@link bodyObject} */
export function bodyJson(body: unknown): unknown {
  const bytes = bodyBytes(body);
  if (!isJsonWithin(BODY, bytes))
    throw new KitchenError(
      "KS_TOO_LARGE",
      `Cannot take the body: it has more than ${MAX_VALUES} values, or more than ${MAX_DEPTH} levels; send less at once`,
    );
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}
