import { messageOf } from "../../core/errors.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { chain, type Link } from "../../core/chain.ts";
import type { NodeName } from "../../core/ids.ts";
import type { Catalog, DataRecord } from "../../store/catalog.ts";
import type { NodeFacts } from "../facts.ts";
import type { Fetcher } from "./fetcher.ts";
import { askHolders, type Holders } from "./holders.ts";
import { allAway, missing } from "./missing.ts";
import { type Peers, saidError } from "./peers.ts";
import type { Replicas } from "./replicas.ts";

/** A predecessor that sends nothing for so long is passed over. */
const IDLE_MS = 5_000;
/** All links begin at once, so a predecessor may hear of the data a little later than its successor asks for them. */
export const LINK_WAIT_MS = 3_000;
/** Whoever stands further behind waits longer, so that only the one next to the gap goes around it. */
const IDLE_STEP_MS = 1_000;
const MOST_STEPS = 30;

export interface BroadcastOptions {
  readonly node: NodeName;
  readonly fetcher: Fetcher;
  readonly peers: Peers;
  readonly replicas: Replicas;
  readonly catalog: Pick<Catalog, "findData" | "lostData">;
  readonly livingNodes: () => Promise<readonly NodeFacts[]>;
}

export interface BroadcastRequest {
  readonly url: DataUrl;
  readonly nodes?: readonly NodeName[] | undefined;
  readonly copies?: number | undefined;
  readonly onProgress: (node: NodeName, bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What became of a broadcast, node by node. */
export interface BroadcastReport {
  readonly url: DataUrl;
  readonly size: number;
  readonly sha256: string;
  readonly copies: readonly {
    readonly node: NodeName;
    readonly status: "copied" | "present";
    /** The node that it was copied from; `null` when it was there. */
    readonly from: NodeName | null;
    readonly ms: number;
  }[];
  readonly failed: readonly { readonly node: NodeName; readonly reason: string }[];
  /** Fewer nodes have it than were asked for; else `null`. */
  readonly shortfall: Shortfall | null;
}

interface Shortfall {
  readonly wanted: number;
  readonly reached: number;
  readonly reason: string;
}

/** What a node is asked to do for a broadcast: the body of `POST /v1/pulls`. */
export interface PullRequest {
  readonly url: DataUrl;
  /** Addresses of nodes, best first. */
  readonly sources: readonly string[];
  readonly idleMs: number;
}

/** Copies data to many nodes in about the time of one copy. */
export class Broadcast {
  readonly #options: BroadcastOptions;

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  /** @throws KitchenError `KS_NO_SUCH_DATA`, `KS_DATA_LOST`, `KS_DATA_UNAVAILABLE` when there is nobody to begin with */
  async run(request: BroadcastRequest): Promise<BroadcastReport> {
    const { catalog, livingNodes } = this.#options;
    const { url, nodes, copies } = request;
    const [[record], living] = await Promise.all([catalog.findData([url]), livingNodes()]);
    if (record === undefined) throw await missing(catalog, url);
    const holders = await this.#holders(record, living);
    const { copied, failed } = await this.#rounds({ record, living, holders, request });
    const isAsked = ({ node }: { node: NodeName }): boolean => nodes === undefined || nodes.includes(node);
    const present = holders.sound.map((node) => ({ node, status: "present" as const, from: null, ms: 0 }));
    const reached = present.length + copied.length;
    return {
      url,
      size: record.size,
      sha256: record.sha256,
      copies: [...present.filter(isAsked), ...copied.map((copy) => ({ ...copy, status: "copied" as const }))],
      failed: [...holders.silent.filter(isAsked), ...failed],
      shortfall:
        copies === undefined || reached >= copies
          ? null
          : { wanted: copies, reached, reason: noOther(nodes) },
    };
  }

  /** @throws KitchenError `KS_DATA_LOST`, `KS_DATA_UNAVAILABLE` when none of the nodes that live has it, and all say so */
  async #holders(record: DataRecord, living: readonly NodeFacts[]): Promise<Holders> {
    const { catalog } = this.#options;
    const holders = await askHolders(record, living, this.#options);
    if (holders.sound.length > 0 || holders.silent.length > 0) return holders;
    // Those that do not have it have left the catalog.
    const [now] = await catalog.findData([record.url]);
    throw now === undefined ? await missing(catalog, record.url) : allAway(now);
  }

  /** Copies until there are enough, or nobody is left who could take one: in each round to nodes that were not tried yet. */
  async #rounds({ record, living, holders, request }: Rounds): Promise<Copies> {
    const { nodes, copies, signal } = request;
    const places = new Map(living.map((node) => [node.name, node]));
    const copied: Copied[] = [];
    const failed: Failed[] = [];
    for (;;) {
      signal?.throwIfAborted();
      const { links, failed: unable } = chain({
        // Whoever has just got it lives.
        holders: [...copied.map(({ node }) => node), ...holders.sound],
        silent: holders.silent.map(({ node }) => node),
        tried: failed.map(({ node }) => node),
        living,
        nodes,
        copies,
      });
      if (links.length === 0) return { copied, failed: [...unable, ...failed] };
      const ends = await Promise.all(
        links.map((link, at) => this.#copy(link, { record, places, request, idleMs: idleMsAt(at) })),
      );
      for (const end of ends)
        if ("reason" in end) failed.push(end);
        else copied.push(end);
    }
  }

  async #copy({ node, from }: Link, context: CopyContext): Promise<Copied | Failed> {
    const begunAtMs = performance.now();
    const { places } = context;
    const sources = from.flatMap((name) => places.get(name)?.url ?? []);
    try {
      const isHere = node === this.#options.node;
      const said = isHere ? await this.#pull(sources, context) : await this.#ask(node, sources, context);
      const source = [...places.values()].find(({ url }) => url?.href === said)?.name ?? null;
      return { node, from: source, ms: Math.round(performance.now() - begunAtMs) };
    } catch (error) {
      return { node, reason: messageOf(error) };
    }
  }

  /** Both give the address of the node that sent the last bytes. */
  async #pull(
    sources: readonly URL[],
    { record, request, idleMs }: CopyContext,
  ): Promise<string | undefined> {
    const { from } = await this.#options.fetcher.pull(record, {
      sources,
      idleMs,
      waitMs: LINK_WAIT_MS,
      signal: request.signal,
      onProgress: (bytes) => request.onProgress(this.#options.node, bytes),
    });
    return from;
  }

  async #ask(node: NodeName, sources: readonly URL[], context: CopyContext): Promise<string | undefined> {
    const { record, places, request, idleMs } = context;
    const body: PullRequest = { url: record.url, sources: sources.map(({ href }) => href), idleMs };
    const peer = places.get(node);
    if (peer === undefined) throw new Error("it has left");
    // The peer says how far it is, so silence means that it is gone.
    const lines = this.#options.peers.lines(peer, {
      method: "POST",
      path: "/v1/pulls",
      body,
      idleMs: 2 * IDLE_MS,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    let acknowledged: unknown;
    let from: unknown;
    for await (const line of lines) {
      const said: Readonly<Record<string, unknown>> = { ...(line as object) };
      if (typeof said["bytes"] === "number") request.onProgress(node, said["bytes"]);
      if (said["error"] !== undefined) throw saidError(said["error"]);
      acknowledged = said["sha256"] ?? acknowledged;
      from = said["from"] ?? from;
    }
    if (acknowledged !== record.sha256)
      throw new Error(`it acknowledged ${String(acknowledged)}, not ${record.sha256}`);
    return typeof from === "string" ? from : undefined;
  }
}

interface CopyContext {
  readonly record: DataRecord;
  readonly places: ReadonlyMap<NodeName, NodeFacts>;
  readonly request: BroadcastRequest;
  readonly idleMs: number;
}

interface Rounds {
  readonly record: DataRecord;
  readonly living: readonly NodeFacts[];
  readonly holders: Holders;
  readonly request: BroadcastRequest;
}

interface Copied {
  readonly node: NodeName;
  readonly from: NodeName | null;
  readonly ms: number;
}

interface Failed {
  readonly node: NodeName;
  readonly reason: string;
}

interface Copies {
  readonly copied: readonly Copied[];
  readonly failed: readonly Failed[];
}

function noOther(nodes: readonly NodeName[] | undefined): string {
  return `no other node ${nodes === undefined ? "" : "of those that were named "}takes data`;
}

function idleMsAt(at: number): number {
  return IDLE_MS + IDLE_STEP_MS * Math.min(at, MOST_STEPS);
}
