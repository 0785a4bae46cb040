import type { DataUrl } from "../../core/data-url.ts";
import { chain, type Link } from "../../core/chain.ts";
import { KitchenError } from "../../core/errors.ts";
import type { NodeName } from "../../core/ids.ts";
import type { Catalog, DataRecord } from "../../store/catalog.ts";
import type { NodeFacts } from "../facts.ts";
import { allAway, type Fetcher } from "./fetcher.ts";
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
  readonly catalog: Pick<Catalog, "findData">;
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
    if (record === undefined)
      throw new KitchenError(
        "KS_NO_SUCH_DATA",
        `Nothing is saved under ${url} (c.data.search("**") lists what there is)`,
      );
    const holders = living.flatMap(({ name }) => (record.replicas.includes(name) ? [name] : []));
    if (holders.length === 0) throw allAway(record);
    const { links, failed } = chain({
      holders,
      living: living.map(({ name, isReadOnly, freeBytes }) => ({ name, takesData: !isReadOnly, freeBytes })),
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
        ...holders.filter(isAsked).map((node) => ({ node, status: "present" as const, ms: 0 })),
        ...ends.flatMap((end) =>
          "ms" in end ? [{ node: end.node, status: "copied" as const, ms: end.ms }] : [],
        ),
      ],
      failed: [...failed, ...ends.flatMap((end) => ("reason" in end ? [end] : []))],
    };
  }

  async #copy({ node, from }: Link, context: CopyContext): Promise<CopyEnd> {
    const begunAtMs = performance.now();
    const { record, places, request, idleMs } = context;
    const sources = from.flatMap((name) => places.get(name)?.url ?? []);
    try {
      if (node === this.#options.node)
        await this.#options.fetcher.pull(record, {
          sources,
          idleMs,
          waitMs: LINK_WAIT_MS,
          signal: request.signal,
          onProgress: (bytes) => request.onProgress(node, bytes),
        });
      else
        await this.#ask(node, { url: record.url, sources: sources.map(({ href }) => href), idleMs }, context);
      return { node, ms: Math.round(performance.now() - begunAtMs) };
    } catch (error) {
      return { node, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async #ask(node: NodeName, body: PullRequest, { record, places, request }: CopyContext): Promise<void> {
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
    for await (const line of lines) {
      const said: Readonly<Record<string, unknown>> = { ...(line as object) };
      if (typeof said["bytes"] === "number") request.onProgress(node, said["bytes"]);
      if (said["error"] !== undefined) throw new Error(detailOf(said["error"]));
      acknowledged = said["sha256"] ?? acknowledged;
    }
    if (acknowledged !== record.sha256)
      throw new Error(`it acknowledged ${String(acknowledged)}, not ${record.sha256}`);
  }
}

interface CopyContext {
  readonly record: DataRecord;
  readonly places: ReadonlyMap<NodeName, NodeFacts>;
  readonly request: BroadcastRequest;
  readonly idleMs: number;
}

type CopyEnd =
  | { readonly node: NodeName; readonly ms: number }
  | { readonly node: NodeName; readonly reason: string };

function detailOf(error: unknown): string {
  const isProblem = typeof error === "object" && error !== null && "detail" in error;
  return isProblem ? String(error.detail) : "it failed and did not say why";
}

function idleMsAt(at: number): number {
  return IDLE_MS + IDLE_STEP_MS * Math.min(at, MOST_STEPS);
}
