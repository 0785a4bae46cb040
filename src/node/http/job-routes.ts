import type { FastifyInstance } from "fastify";
import { pack } from "../../codec/pack.ts";
import { frame } from "../../codec/frames.ts";
import { encodeClientEvent, MEDIA_TYPE, parseOutcome, parseSubmission } from "../../codec/wire.ts";
import { explain, type PlacementRecord } from "../../core/explain.ts";
import { KitchenError } from "../../core/errors.ts";
import { parseJobId, type JobId } from "../../core/ids.ts";
import type { CancelReply, JobRecord, Store } from "../../store/port.ts";
import { errorOutcome } from "../outcomes.ts";
import type { Submissions } from "../submissions.ts";
import { bodyBytes, bodyObject } from "./server.ts";

/** Of why jobs are cancelled, in characters. */
const MOST_REASON = 2_000;

export interface JobRoutesOptions {
  readonly store: Store;
  readonly submissions: Submissions;
}

/** `/v1/jobs` and what is below it: submit, look at, cancel. */
export function addJobRoutes(server: FastifyInstance, { store, submissions }: JobRoutesOptions): void {
  server.post("/v1/jobs", async (request, reply) => {
    const answer = await submissions.submit(parseSubmission(bodyBytes(request.body)));
    const missing = answer.type === "missing" ? answer.units : [];
    return await reply
      .code(missing.length === 0 ? 202 : 409)
      .type(MEDIA_TYPE)
      .send(pack(["missing", missing]));
  });

  server.get<{ Params: { id: string } }>("/v1/jobs/:id", async (request, reply) => {
    const record = await readJob(store, parseJobId(request.params.id));
    return await reply.type("application/json").send(jobAsJson(record));
  });

  server.get<{ Params: { id: string }; Querystring: { from?: string } }>(
    "/v1/jobs/:id/output",
    async (request, reply) => {
      const id = parseJobId(request.params.id);
      await readJob(store, id);
      const pieces = await store.readOutput(id, Math.max(0, Number(request.query.from ?? 0) || 0));
      if (request.headers.accept !== MEDIA_TYPE)
        return await reply
          .type("text/plain; charset=utf-8")
          .send(Buffer.concat(pieces.map(({ bytes }) => bytes)));
      const events = pieces.map((piece) => frame(encodeClientEvent({ type: "output", jobId: id, ...piece })));
      return await reply.type(MEDIA_TYPE).send(Buffer.concat(events));
    },
  );

  server.get<{ Params: { id: string } }>("/v1/jobs/:id/placement", async (request, reply) => {
    const { placement, ...job } = await readJob(store, parseJobId(request.params.id));
    const record =
      placement === undefined || placement === "" ? undefined : (JSON.parse(placement) as PlacementRecord);
    return await reply.type("application/json").send(JSON.stringify(explain(job, record)));
  });

  server.post("/v1/cancel", async (request, reply) => {
    const { jobs, reason } = bodyObject(request.body);
    const ids = jobs === "all" ? await store.activeJobs() : parseIds(jobs);
    // Kept with each of the jobs.
    const why = typeof reason === "string" && reason !== "" ? `: ${reason.slice(0, MOST_REASON)}` : "";
    const outcome = errorOutcome("KS_CANCELLED", `The job was cancelled${why}`);
    const replies = await store.cancel(ids, outcome);
    const byId = Object.fromEntries(
      ids.map((id, at): [JobId, CancelReply] => [id, replies[at] ?? "unknown"]),
    );
    return await reply.type("application/json").send(JSON.stringify({ jobs: byId }));
  });
}

async function readJob(store: Store, id: JobId): Promise<JobRecord> {
  const [record] = await store.read([id]);
  if (record !== undefined) return record;
  throw new KitchenError("KS_NO_SUCH_JOB", `There is no job ${id}, or its result has expired`);
}

function parseIds(value: unknown): JobId[] {
  if (Array.isArray(value)) return value.map(parseJobId);
  throw new KitchenError("KS_BAD_REQUEST", `The body has no list of jobs (a list of ids, or "all")`);
}

/** A job for people and programs without this project's client: the result is there when it is JSON. */
function jobAsJson(record: JobRecord): string {
  const { outcome, ...facts } = record;
  const shown = JSON.stringify({
    ...facts,
    createdAt: isoTime(record.createdAtMs),
    startedAt: isoTime(record.startedAtMs),
    finishedAt: isoTime(record.finishedAtMs),
    streams: undefined,
    createdAtMs: undefined,
    startedAtMs: undefined,
    finishedAtMs: undefined,
    placement: undefined,
  });
  const extra = outcome === undefined ? "" : outcomeAsJson(outcome);
  return extra === "" ? shown : `${shown.slice(0, -1)},${extra}}`;
}

function outcomeAsJson(bytes: Uint8Array): string {
  const outcome = parseOutcome(bytes);
  if (outcome.type === "error") {
    const { name, message, code, stack } = outcome.error;
    return `"error":${JSON.stringify({ name, message, code: code ?? undefined, stack })}`;
  }
  const codec = `"resultCodec":${JSON.stringify(outcome.codec)}`;
  if (outcome.type === "stored")
    return `${codec},"resultBytes":${outcome.size},"resultUrl":${JSON.stringify(`/v1/data/${outcome.url}`)}`;
  // Spliced in as it is: JSON that a worker wrote, which this process has no reason to decode.
  if (outcome.codec === "json") return `"result":${Buffer.from(outcome.bytes).toString("utf8") || "null"}`;
  return `${codec},"resultBytes":${outcome.bytes.length}`;
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
