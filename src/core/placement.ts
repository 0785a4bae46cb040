/**
 * Where a job may run that works on remote data: decided from what each node lacks, without asking anybody.
 *
 * The job is offered to every node that may take it, and each offer becomes visible after a *head start* of those that
 * have to move less: the time that moving the difference would take. So the best node takes the job when it has room,
 * and nobody waits longer than the transfer would have cost.
 */
import type { DataUrl } from "./data-url.ts";
import type { NodeName } from "./ids.ts";

/** Data that a job's arguments point to. */
export interface PlacementInput {
  readonly url: DataUrl;
  /** In bytes. */
  readonly size: number;
  /** The nodes that live and have a replica. */
  readonly holders: readonly NodeName[];
}

/** A node that lives. */
export interface PlacementNode {
  readonly name: NodeName;
  /** The shared queues whose jobs it runs. */
  readonly queues: readonly string[];
  /** Whether it keeps data of others: a read-only node does not. */
  readonly takesData: boolean;
  /** Its disk is full, and that is why it takes none. Default: false. */
  readonly isFull?: boolean;
}

export interface PlacementRequest {
  readonly queue: string;
  readonly inputs: readonly PlacementInput[];
  readonly nodes: readonly PlacementNode[];
  /** A node that lacks more bytes than this is left out. */
  readonly thresholdBytes: number;
}

export interface Candidate {
  readonly node: NodeName;
  readonly missingBytes: number;
  /** How long after the submit the job becomes visible to it. */
  readonly headStartMs: number;
}

export interface LeftOut {
  readonly node: NodeName;
  readonly missingBytes: number;
  readonly reason: "over-threshold" | "read-only" | "disk-full";
}

export type Placement =
  /** No node is better than another: to the queue that all share. */
  | { readonly type: "anywhere"; readonly candidates: readonly Candidate[] }
  | {
      readonly type: "offered";
      /** All nodes that may take it, best first. */
      readonly candidates: readonly Candidate[];
      readonly leftOut: readonly LeftOut[];
      /** Those of the candidates that have some of the data: each gets an offer of its own. */
      readonly offers: readonly { readonly node: NodeName; readonly delayMs: number }[];
      /** When everybody else may take it that takes data and this queue; `null`: never. */
      readonly othersDelayMs: number | null;
    }
  /** Every node of the queue is left out. */
  | { readonly type: "nowhere"; readonly leftOut: readonly LeftOut[] };

/** What a network of 1 Gbit/s moves, less what it loses on the way. */
const BYTES_PER_MS = 100_000;
/** What each rank costs beside the bytes: a wake-up and a claim have to arrive before the next one's turn. */
const RANK_MS = 20;
const MOST_RANKS = 5;

/**
 * Ranks the nodes by the bytes that they lack.
 *
 * @example
 * ```ts
 * const [a, b] = [parseNodeName("a"), parseNodeName("b")];
 * place({
 *   queue: "default",
 *   inputs: [{ url: parseDataUrl("table"), size: 1_000_000, holders: [a] }],
 *   nodes: [a, b].map((name) => ({ name, queues: ["default"], takesData: true })),
 *   thresholdBytes: 200_000_000,
 * }); // offered to a at once, to everybody else 30 ms later
 * ```
 */
export function place({ queue, inputs, nodes, thresholdBytes }: PlacementRequest): Placement {
  // What no living node has cannot be moved, wherever the job runs.
  const movable = inputs.filter(({ holders }) => holders.length > 0);
  const totalBytes = movable.reduce((sum, { size }) => sum + size, 0);
  const serving = nodes.filter(({ queues }) => queues.includes(queue));
  if (movable.length === 0) return anywhere(serving.map(({ name }) => ({ node: name, missingBytes: 0 })));
  // Whoever begins to serve the queue has to fetch what is needed, for nobody else does.
  if (serving.length === 0)
    return { type: "offered", candidates: [], leftOut: [], offers: [], othersDelayMs: 0 };

  const missing = missingBytes(movable, totalBytes);
  const leftOut = serving.flatMap((node) => leftOutOf(node, missing(node.name), thresholdBytes));
  const excluded = new Set(leftOut.map(({ node }) => node));
  const lacking = serving
    .filter(({ name }) => !excluded.has(name))
    .map(({ name }) => ({ node: name, missingBytes: missing(name) }))
    .toSorted((a, b) => a.missingBytes - b.missingBytes || (a.node < b.node ? -1 : 1));
  const [best] = lacking;
  if (best === undefined) return { type: "nowhere", leftOut };

  const mayAnybody = totalBytes <= thresholdBytes;
  const isEven = lacking.every((candidate) => candidate.missingBytes === best.missingBytes);
  if (isEven && mayAnybody && leftOut.length === 0) return anywhere(lacking);

  const headStart = headStarts(lacking.map((candidate) => candidate.missingBytes));
  const candidates = lacking.map((candidate) => ({
    ...candidate,
    headStartMs: headStart(candidate.missingBytes),
  }));
  return {
    type: "offered",
    candidates,
    leftOut,
    offers: candidates
      .filter((candidate) => candidate.missingBytes < totalBytes || !mayAnybody)
      .map(({ node, headStartMs }) => ({ node, delayMs: headStartMs })),
    othersDelayMs: mayAnybody ? headStart(totalBytes) : null,
  };
}

function anywhere(lacking: readonly Omit<Candidate, "headStartMs">[]): Placement {
  return { type: "anywhere", candidates: lacking.map((one) => ({ ...one, headStartMs: 0 })) };
}

/** The bytes that a node would have to fetch. Holders are few and nodes may be many, so it is what they have that is added up. */
function missingBytes(inputs: readonly PlacementInput[], totalBytes: number): (node: NodeName) => number {
  const held = new Map<NodeName, number>();
  for (const { size, holders } of inputs)
    for (const node of new Set(holders)) held.set(node, (held.get(node) ?? 0) + size);
  return (node) => totalBytes - (held.get(node) ?? 0);
}

function leftOutOf(
  { name, takesData, isFull = false }: PlacementNode,
  missing: number,
  thresholdBytes: number,
): LeftOut[] {
  if (missing > 0 && !takesData)
    return [{ node: name, missingBytes: missing, reason: isFull ? "disk-full" : "read-only" }];
  return missing > thresholdBytes ? [{ node: name, missingBytes: missing, reason: "over-threshold" }] : [];
}

/** `ranked`: what the candidates lack, in ascending order. What lacks more than all of them comes a rank behind. */
function headStarts(ranked: readonly number[]): (missing: number) => number {
  const [least = 0] = ranked;
  const steps = [...new Set(ranked)];
  return (missing) => {
    const at = steps.findIndex((step) => step >= missing);
    const rank = Math.min(at < 0 ? steps.length : at, MOST_RANKS);
    return rank * RANK_MS + Math.ceil((missing - least) / BYTES_PER_MS);
  };
}
