import type { FastifyInstance, FastifyReply } from "fastify";
import { MEDIA_TYPE, parseOutcome } from "../../codec/wire.ts";
import type { AttemptEnd } from "../../core/attempt.ts";
import { KitchenError, isErrorCode } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import { traceIn } from "../../core/trace.ts";
import type { InstantLane } from "../lanes/instant-lane.ts";
import type { Streams } from "../streams/streams.ts";
import type { Submissions } from "../jobs/submissions.ts";
import { goneSignal } from "./gone-signal.ts";
import { sendItemLines } from "./item-lines.ts";
import { inputsInJson } from "./json-inputs.ts";
import { sendProblem, statusOf, titleOf } from "./problems.ts";
import { encodeRegisteredCall, runInstantly } from "./registered-call.ts";
import { bodyBytes } from "./server.ts";

export interface RpcRoutesOptions {
  readonly lane: InstantLane;
  readonly streams: Streams;
  readonly submissions: Submissions;
  readonly newJobId: () => JobId;
  /** What queued calls without a client of this project's run under. */
  readonly anonymousClient: string;
  /** Where such calls wait: a queue that this node serves. */
  readonly queue: string;
}

/**
 * `POST /rpc/:namespace/:function` with a JSON array of arguments, or an object of them by name: registered functions for
 * everyone. Instant, unless the caller prefers `respond-async`, which queues the call, for nodes that have the data that
 * its arguments point to, and answers 202 with the job's address. A generator's items are the answer's lines.
 */
export function addRpcRoutes(server: FastifyInstance, options: RpcRoutesOptions): void {
  server.post<{ Params: { namespace: string; name: string } }>(
    "/rpc/:namespace/:name",
    async (request, reply) => {
      if (request.headers["content-type"]?.startsWith(MEDIA_TYPE) === true)
        throw new KitchenError(
          "KS_UNSUPPORTED",
          "Send the arguments as a JSON array, with content-type: application/json",
        );
      const { namespace, name } = request.params;
      const args = bodyBytes(request.body);
      const specBytes = encodeRegisteredCall({ namespace, name, args, trace: traceIn(request.headers) });
      const spec = options.submissions.check(specBytes);
      const id = options.newJobId();
      if (/\brespond-async\b/.test(String(request.headers["prefer"] ?? ""))) {
        await options.submissions.submit({
          client: options.anonymousClient,
          units: new Map(),
          jobs: [{ id, queue: options.queue, priority: 0, spec: specBytes, inputs: inputsInJson(args) }],
        });
        return await reply
          .code(202)
          .header("location", `/v1/jobs/${id}`)
          .type("application/json")
          .send(JSON.stringify({ id }));
      }
      let lines: Promise<void> | undefined;
      const onStreaming = (): void => {
        const items = options.streams.find(id, 0);
        if (items === undefined) return;
        reply.hijack();
        lines = sendItemLines(reply.raw, items);
      };
      const signal = goneSignal(reply);
      const end = await runInstantly(options.lane, { id, spec, specBytes, onStreaming, signal });
      return lines === undefined ? await answer(reply, end) : await endLines(reply, lines, end);
    },
  );
}

/** The head has gone out long ago: an answer that breaks off is the only way to say that the function threw. */
async function endLines(reply: FastifyReply, lines: Promise<void>, end: AttemptEnd): Promise<FastifyReply> {
  await lines;
  if (end.type === "returned") reply.raw.end();
  else reply.raw.socket?.destroySoon();
  return reply;
}

async function answer(reply: FastifyReply, end: AttemptEnd): Promise<FastifyReply> {
  if (end.type === "not-begun")
    throw new KitchenError("KS_UNAVAILABLE", "The node is leaving: call another one");
  const outcome = parseOutcome(end.outcome);
  if (outcome.type === "stored")
    throw new KitchenError("KS_INTERNAL", "The result of an instant call was kept as data");
  if (outcome.type !== "error") {
    const bytes = outcome.bytes.length === 0 ? Buffer.from("null") : Buffer.from(outcome.bytes);
    return await reply.code(200).type("application/json").send(bytes);
  }
  const { name, message, code, stack } = outcome.error;
  const status = statusOf(code);
  if (isErrorCode(code))
    return sendProblem(reply, { type: "about:blank", title: titleOf(status), status, detail: message, code });
  return sendProblem(reply, { type: "about:blank", title: name || "Error", status, detail: message, stack });
}
