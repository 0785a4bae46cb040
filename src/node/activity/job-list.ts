import type { JobId, NodeName } from "../../core/ids.ts";
import { isFinal, type JobState } from "../../core/job-states.ts";
import type { JobFacts, Store } from "../../store/port.ts";
import type { ClusterWatch, Ended } from "./cluster-watch.ts";

/** Where a label is looked for, of each queue and of each node. */
const MOST_SEARCHED = 1_000;

export interface JobsWanted {
  /** Default: all. */
  readonly state?: JobState | undefined;
  /** What their labels contain. */
  readonly label?: string | undefined;
  readonly limit: number;
}

export interface JobsFound {
  /** Newest first. */
  readonly jobs: readonly JobFacts[];
  /** Nodes that did not answer: jobs that ended there may be missing. */
  readonly silent: readonly NodeName[];
}

export interface JobListOptions {
  readonly store: Pick<Store, "someActive" | "look">;
  readonly cluster: Pick<ClusterWatch, "lastEnded">;
}

/**
 * Lists jobs: those that wait or run as the store has them, those that ended as far as nodes remember them. However many
 * there are, no more are looked at than a few for each queue and node.
 * @throws KitchenError `KS_UNAVAILABLE` when the store does not answer
 */
export async function listJobs(
  { store, cluster }: JobListOptions,
  { state, label, limit }: JobsWanted,
): Promise<JobsFound> {
  const most = label === undefined ? limit : Math.max(limit, MOST_SEARCHED);
  const [active, { ids: ended, silent }] = await Promise.all([
    state === undefined || !isFinal(state) ? store.someActive(most) : [],
    state === undefined ? cluster.lastEnded(most, undefined, label) : endedAs(cluster, most, state, label),
  ]);
  const facts = await store.look([...new Set<JobId>([...active, ...ended])]);
  const jobs = facts.filter(
    (job) =>
      job !== undefined &&
      (state === undefined || job.state === state) &&
      (label === undefined || job.label.includes(label)),
  ) as JobFacts[];
  return { jobs: jobs.toSorted(newestFirst).slice(0, limit), silent };
}

async function endedAs(
  cluster: JobListOptions["cluster"],
  most: number,
  state: JobState,
  label: string | undefined,
): Promise<Ended> {
  return isFinal(state) ? await cluster.lastEnded(most, state, label) : { ids: [], silent: [] };
}

function newestFirst(a: JobFacts, b: JobFacts): number {
  return b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1);
}
