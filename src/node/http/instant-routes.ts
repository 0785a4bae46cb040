import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { frame } from "../../codec/frames.ts";
import { pack } from "../../codec/pack.ts";
import { encodeClientEvent, MEDIA_TYPE, parseSubmission } from "../../codec/wire.ts";
import { type AttemptEnd, stateAfter } from "../../core/attempt.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { ClientEvent } from "../../core/messages.ts";
import type { Progress } from "../../core/progress.ts";
import type { InstantLane } from "../lanes/instant-lane.ts";
import type { Submissions } from "../jobs/submissions.ts";
import type { UnitCache } from "../jobs/unit-cache.ts";
import { ALIVE_MS } from "./patience.ts";
import { problemOf } from "./problems.ts";
import { ResponseRoom } from "./response-room.ts";
import { bodyBytes } from "./server.ts";

export interface InstantRoutesOptions {
  readonly lane: InstantLane;
  readonly units: UnitCache;
  readonly submissions: Submissions;
}

/** `POST /v1/instant`: one call; its output and its end are the answer, as frames. */
export function addInstantRoutes(
  server: FastifyInstance,
  { lane, units, submissions }: InstantRoutesOptions,
): void {
  const open = new Set<InstantAnswer>();
  const alive = setInterval(() => {
    for (const answer of open) answer.alive();
  }, ALIVE_MS).unref();
  server.addHook("onClose", async () => clearInterval(alive));

  server.post("/v1/instant", async (request, reply) => {
    const submission = parseSubmission(bodyBytes(request.body));
    const [job] = submission.jobs;
    if (job === undefined || submission.jobs.length !== 1)
      throw new KitchenError("KS_BAD_REQUEST", "An instant call is one job");
    const { id, spec: specBytes } = job;
    const spec = submissions.check(specBytes);
    if (spec.after.length > 0)
      throw new KitchenError(
        "KS_BAD_REQUEST",
        "An instant call waits for no job: queue it, at POST /v1/jobs",
      );
    units.add(submission.units);
    const missing = spec.units.filter((hash) => !units.has(hash));
    if (missing.length > 0)
      return await reply
        .code(409)
        .type(MEDIA_TYPE)
        .send(pack(["missing", missing, []]));
    const loaded = units.peek(spec.units) ?? new Map();

    reply.hijack();
    const answer = new InstantAnswer(reply.raw, id);
    open.add(answer);
    try {
      const running = lane.run({
        id,
        spec,
        specBytes,
        units: loaded,
        onOutput: (stream, bytes) => answer.output(stream, bytes),
        onStreaming: () => answer.streaming(),
        onProgress: (progress) => answer.progress(progress),
        onEnd: (end) => answer.end(end),
      });
      reply.raw.on("close", () => {
        open.delete(answer);
        if (!answer.isEnded) running.cancel("the caller went away");
      });
    } catch (error) {
      open.delete(answer);
      answer.refuse(error);
    }
    return reply;
  });
}

/** The HTTP response to an instant call: opened by whatever is said first, which usually is the end. */
class InstantAnswer {
  readonly #response: ServerResponse;
  readonly #room: ResponseRoom;
  readonly #id: JobId;
  #index = 0;
  isEnded = false;

  constructor(response: ServerResponse, id: JobId) {
    this.#response = response;
    this.#room = new ResponseRoom(response);
    this.#id = id;
    response.on("error", () => {});
  }

  output(stream: "stdout" | "stderr", bytes: Uint8Array): Promise<void> | undefined {
    const piece = { attempt: 1, index: this.#index++, stream, atMs: Date.now(), bytes } as const;
    this.#write({ type: "output", jobId: this.#id, ...piece });
    return this.#room.pending;
  }

  progress(progress: Progress): void {
    this.#write({ type: "progress", jobId: this.#id, attempt: 1, progress });
  }

  /** The items are read apart, by requests of their own: this answer goes on to its end. */
  streaming(): void {
    this.#write({ type: "streaming", jobId: this.#id, attempt: 1 });
  }

  /** Whoever waits takes a node that says nothing for one that is gone. */
  alive(): void {
    if (!this.isEnded) this.#write({ type: "alive" });
  }

  #write(event: ClientEvent): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { "content-type": MEDIA_TYPE });
    this.#response.write(frame(encodeClientEvent(event)));
  }

  end(end: AttemptEnd): void {
    this.isEnded = true;
    if (end.type === "not-begun") return;
    const state = stateAfter(end);
    const last = frame(encodeClientEvent({ type: "finished", jobId: this.#id, state, outcome: end.outcome }));
    // One write for headers and body where nothing was printed, which is the usual case.
    if (!this.#response.headersSent)
      this.#response.writeHead(200, { "content-type": MEDIA_TYPE, "content-length": last.length });
    this.#response.end(last);
  }

  refuse(error: unknown): void {
    this.isEnded = true;
    const problem = problemOf(error);
    this.#response.writeHead(problem.status, {
      "content-type": "application/problem+json",
      "retry-after": "1",
    });
    this.#response.end(JSON.stringify(problem));
  }
}
