/** Why a job runs where it runs, in numbers and in words. */
import type { DataUrl } from "./data-url.ts";
import type { JobId, NodeName } from "./ids.ts";
import { isFinal, type JobState } from "./job-states.ts";
import type { Candidate, LeftOut } from "./placement.ts";
import { showBytes } from "./show-bytes.ts";
import { whyUnserved } from "./unserved.ts";

/** How a job was placed: kept with the job, as JSON. */
export interface PlacementRecord {
  readonly thresholdBytes: number;
  readonly inputs: readonly ExplainedInput[];
  readonly candidates: readonly Candidate[];
  readonly leftOut: readonly LeftOut[];
}

export interface ExplainedInput {
  readonly url: DataUrl;
  /** In bytes; 0 when the catalog did not have it. */
  readonly size: number;
  /** The nodes that had a replica and lived when the job was placed. */
  readonly replicas: readonly NodeName[];
}

export interface ExplainedJob {
  readonly id: JobId;
  readonly state: JobState;
  readonly queue: string;
  /** The node that runs it, or ran it last. */
  readonly node: NodeName | undefined;
  /** Whether a node that lives runs its queue. */
  readonly isServed: boolean;
}

/** What `job.explain()` tells. */
export interface Explanation extends PlacementRecord, Omit<ExplainedJob, "node"> {
  readonly node: NodeName | null;
  readonly why: string;
}

/** `placement` is undefined for a job that was not placed by data. */
export function explain(job: ExplainedJob, placement: PlacementRecord | undefined): Explanation {
  const { id, state, queue, isServed, node = null } = job;
  const facts = placement ?? { thresholdBytes: 0, inputs: [], candidates: [], leftOut: [] };
  return {
    id,
    state,
    queue,
    isServed,
    node,
    why: placement === undefined ? unplaced(job) : why(job, facts),
    ...facts,
  };
}

function unplaced({ queue, node, state, isServed }: ExplainedJob): string {
  if (!isServed && !isFinal(state)) return `it waits: ${whyUnserved(queue)}`;
  const [name, only] = queue.split("|");
  const whom =
    only === undefined
      ? `no remote data decides where it runs: any node of the queue ${name} may take it`
      : `it was submitted for ${only} alone`;
  if (node === undefined) return `${whom}; ${state === "queued" ? "it waits" : "it was never begun"}`;
  return only === undefined ? `${whom}, and ${node} had a free worker first` : whom;
}

function why(job: ExplainedJob, placement: PlacementRecord): string {
  const { candidates, leftOut, thresholdBytes } = placement;
  if (!job.isServed && !isFinal(job.state)) return `it waits: ${whyUnserved(job.queue)}`;
  const [best] = candidates;
  if (best === undefined && leftOut.length > 0)
    return `no node may run it: each lacks more than the threshold of ${showBytes(thresholdBytes)}, or takes no data`;
  if (best === undefined)
    return `any node of the queue ${job.queue} may take it, and fetches what it lacks${tookIt(job)}`;
  return job.node === undefined ? waits(job, placement, best) : runs(job.node, placement, best);
}

function tookIt({ node }: ExplainedJob): string {
  return node === undefined ? "" : `; ${node} did`;
}

function waits({ state }: ExplainedJob, { candidates }: PlacementRecord, best: Candidate): string {
  const lacking = `${best.node} lacks the fewest bytes (${showBytes(best.missingBytes)})`;
  if (isFinal(state)) return `${lacking}; the job ended before anybody took it`;
  const next = candidates.find(({ headStartMs }) => headStartMs > 0);
  return next === undefined
    ? `${lacking}; the first of ${candidates.length} such nodes with a free worker takes it`
    : `${lacking} and may take it first; ${next.node} may after ${next.headStartMs} ms`;
}

function runs(node: NodeName, { candidates }: PlacementRecord, best: Candidate): string {
  const taker = candidates.find((candidate) => candidate.node === node);
  if (taker === undefined) return `${node} joined after the job was placed, and had a free worker first`;
  const lacked = `${node} lacked ${showBytes(taker.missingBytes)}`;
  if (taker.missingBytes === best.missingBytes)
    return `${lacked}, and nobody less; it had a free worker first`;
  return `${lacked}; ${best.node} lacked less (${showBytes(best.missingBytes)}), but had no free worker within the head start of ${taker.headStartMs} ms`;
}
