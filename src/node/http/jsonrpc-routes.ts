import { setMaxListeners } from "node:events";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { goneSignal } from "./gone-signal.ts";
import {
  BATCH_LIMIT,
  encodeFault,
  encodeRefusal,
  parseRequest,
  PARSE_ERROR,
  type RpcRequest,
} from "./jsonrpc.ts";
import { type Caller, JsonRpcCalls, type JsonRpcCallsOptions } from "./jsonrpc-calls.ts";
import { traceIn } from "../../core/trace.ts";
import { bodyJson } from "./server.ts";

/** How many calls of one batch are with the workers at a time, so that it does not make all others wait. */
const MOST_AT_ONCE = 16;

/** `POST /jsonrpc`: JSON-RPC 2.0, whose methods are the registered functions. Each request is an instant call. */
export function addJsonRpcRoutes(server: FastifyInstance, options: JsonRpcCallsOptions): void {
  const calls = new JsonRpcCalls(options);
  server.post("/jsonrpc", async (request, reply) => {
    const body = bodyJson(request.body);
    if (body === undefined) return send(reply, encodeFault(null, NOT_JSON));
    if (Array.isArray(body) && (body.length === 0 || body.length > BATCH_LIMIT))
      return send(reply, encodeRefusal(null, `a batch has 1 to ${BATCH_LIMIT} requests`));
    const requests = (Array.isArray(body) ? body : [body]).map(parseRequest);
    const signal = goneSignal(reply);
    setMaxListeners(MOST_AT_ONCE, signal);
    const answers = answersTo(requests, calls, { trace: traceIn(request.headers), signal });
    if (requests.every(({ id }) => id === undefined)) {
      void drain(answers);
      return reply.code(204).send();
    }
    return send(reply, Array.isArray(body) ? Readable.from(asArray(answers)) : await firstOf(answers));
  });
}

const NOT_JSON = { code: PARSE_ERROR, message: "The body is not JSON" };

function send(reply: FastifyReply, body: Buffer | Readable | undefined): FastifyReply {
  return reply.code(200).type("application/json").send(body);
}

/** In the order of the requests, so that few answers wait here for one that is slow. */
async function* answersTo(
  requests: readonly RpcRequest[],
  calls: JsonRpcCalls,
  caller: Caller,
): AsyncGenerator<Buffer> {
  const underWay: Promise<Buffer | undefined>[] = [];
  for (const request of requests) {
    underWay.push(calls.answer(request, caller));
    if (underWay.length < MOST_AT_ONCE) continue;
    const answer = await underWay.shift();
    if (answer !== undefined) yield answer;
  }
  for (const due of underWay) {
    const answer = await due;
    if (answer !== undefined) yield answer;
  }
}

async function firstOf(answers: AsyncGenerator<Buffer>): Promise<Buffer | undefined> {
  const { value } = await answers.next();
  return value instanceof Buffer ? value : undefined;
}

async function* asArray(answers: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let before = "[";
  for await (const answer of answers) {
    yield Buffer.concat([Buffer.from(before), answer]);
    before = ",";
  }
  yield Buffer.from("]");
}

async function drain(answers: AsyncGenerator<Buffer>): Promise<void> {
  for await (const _ of answers);
}
