import { messageOf } from "../../core/errors.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { chain, type Link } from "../../core/chain.ts";
import type { NodeName } from "../../core/ids.ts";
import type { Catalog, DataRecord } from "../../store/catalog.ts";
import type { NodeFacts } from "../facts.ts";
import type { Fetcher } from "./fetcher.ts";
import { allAway, missing } from "./missing.ts";
import type { Peers } from "./peers.ts";

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

  /** @throws KitchenError `KS_NO_SUCH_DATA`, `KS_DATA_UNAVAILABLE` when there is nobody to begin with */
  async run(request: BroadcastRequest): Promise<BroadcastReport> {
    const { catalog, livingNodes } = this.#options;
    const { url, nodes, copies } = request;
    const [[record], living] = await Promise.all([catalog.findData([url]), livingNodes()]);
    if (record === undefined) throw await missing(catalog, url);
    const holders = living.flatMap(({ name }) => (record.replicas.includes(name) ? [name] : []));
    if (holders.length === 0) throw allAway(record);
    const { links, failed } = chain({
      holders,
      living,
      nodes,
      copies,
    });
    const places = new Map(living.map((node) => [node.name, node]));
    const ends = await Promise.all(
      links.map((link, at) => this.#copy(link, { record, places, request, idleMs: idleMsAt(at) })),
    );
    const isAsked = (node: NodeName): boolean => nodes === undefined || nodes.includes(node);
    return {
      url,
      size: record.size,
      sha256: record.sha256,
      copies: [
        ...holders.filter(isAsked).map((node) => ({ node, status: "present" as const, from: null, ms: 0 })),
        ...ends.flatMap((end) => ("ms" in end ? [{ ...end, status: "copied" as const }] : [])),
      ],
      failed: [...failed, ...ends.flatMap((end) => ("reason" in end ? [end] : []))],
    };
  }

  async #copy({ node, from }: Link, context: CopyContext): Promise<CopyEnd> {
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
      if (said["error"] !== undefined) throw new Error(detailOf(said["error"]));
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

type CopyEnd =
  | { readonly node: NodeName; readonly from: NodeName | null; readonly ms: number }
  | { readonly node: NodeName; readonly reason: string };

function detailOf(error: unknown): string {
  const isProblem = typeof error === "object" && error !== null && "detail" in error;
  return isProblem ? String(error.detail) : "it failed and did not say why";
}

function idleMsAt(at: number): number {
  return IDLE_MS + IDLE_STEP_MS * Math.min(at, MOST_STEPS);
}
