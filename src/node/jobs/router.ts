import type { DataUrl } from "../../core/data-url.ts";
import type { PlacementRecord } from "../../core/explain.ts";
import { type LeftOut, place, type Placement, type PlacementInput } from "../../core/placement.ts";
import { showBytes } from "../../core/show-bytes.ts";
import type { NewJob, Offers, Store, UnplacedJob } from "../../store/port.ts";
import { livingNodes, type NodeFacts } from "../facts.ts";
import { errorOutcome } from "./outcomes.ts";

/** What is written down of the nodes that a job was placed among: the best of them, when they are many. */
const MOST_EXPLAINED = 50;

export interface RouterOptions {
  readonly store: Pick<Store, "findData" | "nodes" | "place">;
  /** A node that would have to fetch more bytes than this is left out. */
  readonly thresholdBytes: number;
}

type Routable = Pick<NewJob, "queue" | "inputs" | "after">;
type Routed = Pick<NewJob, "offers" | "placement" | "refusal">;

/** Sends jobs to the data that they work on. */
export class Router {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Says of each job where it may run, after one look at the catalog and at the nodes. Jobs for one node stay so. */
  async route<Job extends Routable>(jobs: readonly Job[]): Promise<(Job & Routed)[]> {
    const urls = new Set(jobs.flatMap((job) => (isRouted(job) ? (job.inputs ?? []) : [])));
    if (urls.size === 0) return [...jobs];
    const look = await this.#look([...urls]);
    return jobs.map((job) => (isRouted(job) ? { ...job, ...this.#place(job, look) } : job));
  }

  /** Places jobs anew whose nodes have gone. */
  async placeAnew(jobs: readonly UnplacedJob[]): Promise<void> {
    const routed = await this.route(jobs);
    await this.#options.store.place(
      routed.map(({ id, offers = FOR_ALL, placement = "", refusal }) => ({
        id,
        offers,
        placement,
        ...(refusal === undefined ? {} : { refusal }),
      })),
    );
  }

  async #look(urls: readonly DataUrl[]): Promise<Look> {
    const { store } = this.#options;
    const [records, nodes] = await Promise.all([store.findData(urls), livingNodes(store)]);
    const living = new Set(nodes.map(({ name }) => name));
    const inputs = new Map<DataUrl, PlacementInput>();
    for (const [at, url] of urls.entries()) {
      const { size = 0, replicas = [] } = records[at] ?? {};
      inputs.set(url, { url, size, holders: replicas.filter((node) => living.has(node)) });
    }
    return { inputs, nodes };
  }

  #place({ queue, inputs: urls = [] }: Routable, look: Look): Routed {
    const { thresholdBytes } = this.#options;
    const inputs = urls.flatMap((url) => look.inputs.get(url) ?? []);
    const placement = place({ queue, inputs, nodes: look.nodes, thresholdBytes });
    const record = JSON.stringify(recordOf(placement, { inputs, thresholdBytes }));
    switch (placement.type) {
      case "anywhere":
        return { placement: record };
      case "offered":
        return {
          placement: record,
          offers: { nodes: placement.offers, othersDelayMs: placement.othersDelayMs },
        };
      case "nowhere":
        return { placement: record, refusal: tooFar(placement.leftOut, { queue, thresholdBytes }) };
    }
  }
}

interface Look {
  readonly inputs: ReadonlyMap<DataUrl, PlacementInput>;
  readonly nodes: readonly NodeFacts[];
}

const FOR_ALL: Offers = { nodes: [], othersDelayMs: 0 };

/** Blocked ones are, when they are released: more of their data is there then. */
function isRouted({ queue, inputs = [], after }: Routable): boolean {
  return inputs.length > 0 && !queue.includes("|") && after === undefined;
}

interface Placed {
  readonly inputs: readonly PlacementInput[];
  readonly thresholdBytes: number;
}

function recordOf(placement: Placement, { inputs, thresholdBytes }: Placed): PlacementRecord {
  return {
    thresholdBytes,
    inputs: inputs.map(({ url, size, holders }) => ({ url, size, replicas: holders })),
    candidates: (placement.type === "nowhere" ? [] : placement.candidates).slice(0, MOST_EXPLAINED),
    leftOut: (placement.type === "anywhere" ? [] : placement.leftOut).slice(0, MOST_EXPLAINED),
  };
}

const MOST_NAMED = 5;
const WHY_NOT: Readonly<Record<LeftOut["reason"], string>> = {
  "over-threshold": "",
  "read-only": " and takes no data",
  "disk-full": " and its disk is full",
};

function tooFar(
  leftOut: readonly LeftOut[],
  { queue, thresholdBytes }: { readonly queue: string; readonly thresholdBytes: number },
): Uint8Array {
  const lacking = leftOut
    .toSorted((a, b) => a.missingBytes - b.missingBytes)
    .slice(0, MOST_NAMED)
    .map(({ node, missingBytes, reason }) => `${node} lacks ${showBytes(missingBytes)}${WHY_NOT[reason]}`);
  const more = leftOut.length > MOST_NAMED ? `, and ${leftOut.length - MOST_NAMED} more` : "";
  return errorOutcome(
    "KS_DATA_TOO_FAR",
    `Cannot place the job: every node of the queue "${queue}" lacks more of its data than the threshold of ${showBytes(thresholdBytes)} allows: ${lacking.join(", ")}${more} (raise --data-threshold, pipeline() the data first, or call with({ routeData: false }))`,
  );
}
