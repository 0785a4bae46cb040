import { printable } from "../../core/printable.ts";
import type { Http } from "../../client/connection/http.ts";
import type { JobStatus } from "../../client/jobs/job.ts";
import { parseStatus } from "../../client/listings.ts";
import { listIn, Reader } from "../../client/reader.ts";
import { Table } from "../table.ts";
import { showSpan } from "../time.ts";

export interface JobQuery {
  readonly state?: string | undefined;
  /** A part of it. */
  readonly label?: string | undefined;
  readonly limit: number;
}

export interface Listing {
  /** Newest first. */
  readonly jobs: readonly JobStatus[];
  /** Nodes that did not answer: jobs that ended there may be missing. */
  readonly silent: readonly string[];
}

export async function fetchJobs(
  { http, signal }: { readonly http: Http; readonly signal?: AbortSignal | undefined },
  { state, label, limit }: JobQuery,
): Promise<Listing> {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(state === undefined ? {} : { state }),
    ...(label === undefined ? {} : { label }),
  });
  const path = `/v1/jobs?${query.toString()}`;
  const answer = await http.fetchJson({ method: "GET", path, signal });
  const silent = new Reader(answer, "list of jobs").texts("silent");
  return { jobs: listIn(answer, "jobs").map(parseStatus), silent };
}

/** Said of a node that is silent. */
export function missingFrom(node: string): string {
  return `${node} does not answer: jobs that ended there are missing`;
}

/** `now`: in ms, to tell how long jobs have been running. */
export function jobsTable(jobs: readonly JobStatus[], now: number): string {
  const table = new Table(["ID", "STATE", "LABEL", "QUEUE", "NODE", "AGE", "TOOK"], {
    rightAligned: ["AGE", "TOOK"],
  });
  return table.text(
    jobs.map((job) => [
      job.id,
      job.attempt > 1 ? `${job.state} (attempt ${job.attempt})` : job.state,
      printable(job.label),
      job.queue,
      job.node ?? "-",
      showSpan(now - job.createdAt.getTime()),
      tookIn(job, now),
    ]),
  );
}

function tookIn({ startedAt, finishedAt, state }: JobStatus, now: number): string {
  if (startedAt === undefined || state === "queued") return "-";
  return showSpan((finishedAt?.getTime() ?? now) - startedAt.getTime());
}
