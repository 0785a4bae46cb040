import type { FastifyInstance } from "fastify";
import { pack } from "../../codec/pack.ts";
import { frame } from "../../codec/frames.ts";
import { encodeClientEvent, MEDIA_TYPE, parseSubmission } from "../../codec/wire.ts";
import { explain, type PlacementRecord } from "../../core/explain.ts";
import { KitchenError } from "../../core/errors.ts";
import { parseJobId, type JobId } from "../../core/ids.ts";
import type { CancelReply, JobRecord, Store } from "../../store/port.ts";
import type { Activity } from "../activity/activity.ts";
import { errorOutcome } from "../jobs/outcomes.ts";
import type { ServedQueues } from "../jobs/served-queues.ts";
import type { Submissions } from "../jobs/submissions.ts";
import { retryJob } from "../jobs/retry-job.ts";
import { callSizes } from "./call-json.ts";
import { jobAsJson } from "./job-json.ts";
import { parseCount } from "./parse-count.ts";
import { bodyBytes, bodyObject } from "./server.ts";

/** Of why jobs are cancelled, in characters. */
const MOST_REASON = 2_000;

export interface JobRoutesOptions {
  readonly store: Store;
  readonly submissions: Submissions;
  readonly activity: Activity;
  readonly served: ServedQueues;
  readonly newJobId: () => JobId;
  /** What jobs that are retried run under: nobody waits for them on an event stream. */
  readonly anonymousClient: string;
}

/** `/v1/jobs` and what is below it: submit, look at, cancel, retry. */
export function addJobRoutes(
  server: FastifyInstance,
  { store, submissions, activity, served, newJobId, anonymousClient: client }: JobRoutesOptions,
): void {
  server.post("/v1/jobs", async (request, reply) => {
    const submission = parseSubmission(bodyBytes(request.body));
    const answer = await submissions.submit(submission);
    const missing = answer.type === "missing" ? answer.units : [];
    const unserved = answer.type === "queued" ? await served.unserved(submission.jobs) : [];
    return await reply
      .code(missing.length === 0 ? 202 : 409)
      .type(MEDIA_TYPE)
      .send(pack(["missing", missing, [...unserved]]));
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
      const from = parseCount("from", request.query.from) ?? 0;
      const pieces = await store.readOutput(id, from);
      void reply.header("kitchensink-next", from + pieces.length);
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
    const isServed = (await served.unserved([job])).size === 0;
    return await reply.type("application/json").send(JSON.stringify(explain({ ...job, isServed }, record)));
  });

  server.get<{ Params: { id: string } }>("/v1/jobs/:id/call", async (request, reply) => {
    const { id } = await readJob(store, parseJobId(request.params.id));
    const spec = await store.spec(id);
    const call = spec === undefined ? null : await callSizes(spec, store);
    return await reply.type("application/json").send(JSON.stringify({ call }));
  });

  server.post<{ Params: { id: string } }>("/v1/jobs/:id/retry", async (request, reply) => {
    const record = await readJob(store, parseJobId(request.params.id));
    const id = newJobId();
    await retryJob(record, { store, submissions, client, newId: id });
    return await reply
      .code(202)
      .header("location", `/v1/jobs/${id}`)
      .type("application/json")
      .send(JSON.stringify({ id }));
  });

  server.post("/v1/cancel", async (request, reply) => {
    const { jobs, reason } = bodyObject(request.body);
    const ids = jobs === "all" ? await store.activeJobs() : parseIds(jobs);
    // Kept with each of the jobs.
    const why = typeof reason === "string" && reason !== "" ? `: ${reason.slice(0, MOST_REASON)}` : "";
    const outcome = errorOutcome("KS_CANCELLED", `The job was cancelled${why}`);
    const replies = await store.cancel(ids, outcome);
    const waited = ids.filter((_, at) => replies[at] === "cancelled");
    activity.endedUnbegun(
      waited.map((id) => ({ id })),
      "cancelled",
    );
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
