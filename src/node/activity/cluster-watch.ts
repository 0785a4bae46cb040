import { messageOf } from "../../core/errors.ts";
import type { ClusterStatus, NodeActivity, NodeReport } from "../../core/activity.ts";
import { type JobId, type NodeName, parseJobId } from "../../core/ids.ts";
import type { FinalState } from "../../core/job-states.ts";
import type { Store } from "../../store/port.ts";
import type { Peers } from "../data/peers.ts";
import { livingNodes, type NodeFacts } from "../facts.ts";
import type { Activity } from "./activity.ts";
import type { NodeWatch } from "./node-watch.ts";

/** A node that has not answered by then is told of as one that does not. */
const PATIENCE_MS = 5_000;

export interface ClusterWatchOptions {
  readonly node: NodeName;
  readonly store: Pick<Store, "nodes" | "waiting" | "description">;
  readonly peers: Pick<Peers, "ask">;
  readonly watch: NodeWatch;
  readonly activity: Activity;
}

/** What is wanted of a node's runs. */
export interface RunsWanted {
  /** Those that ended after the one with this number. */
  readonly after: (node: NodeName) => number;
  readonly most: number;
}

/** What the nodes told. */
export interface Gathered {
  readonly status: ClusterStatus;
  readonly activities: ReadonlyMap<NodeName, NodeActivity>;
}

export interface Ended {
  readonly ids: readonly JobId[];
  /** Nodes that did not answer. */
  readonly silent: readonly NodeName[];
}

/** Asks the nodes of the cluster what happens on them. */
export class ClusterWatch {
  readonly #options: ClusterWatchOptions;

  constructor(options: ClusterWatchOptions) {
    this.#options = options;
  }

  /** @throws KitchenError `KS_UNAVAILABLE` when the store does not answer */
  async gather({ after, most }: RunsWanted): Promise<Gathered> {
    const { node, store, watch } = this.#options;
    const [living, waiting] = await Promise.all([this.#living(), store.waiting()]);
    const activities = new Map<NodeName, NodeActivity>();
    const nodes = await Promise.all(
      living.map(async (peer): Promise<NodeReport> => {
        const { name, url } = peer;
        const about = { name, url: url?.href ?? null };
        try {
          const path = `/v1/activity/node?after=${after(name)}&most=${most}`;
          const told =
            name === node
              ? await watch.look(after(name), most)
              : ((await this.#ask(peer, path)) as NodeActivity);
          activities.set(name, told);
          return { ...about, status: told.status, error: null };
        } catch (error) {
          return { ...about, status: null, error: messageOf(error) };
        }
      }),
    );
    return {
      status: { node, nowMs: Date.now(), store: store.description, nodes, ...waiting },
      activities,
    };
  }

  async status(): Promise<ClusterStatus> {
    return (await this.gather({ after: () => 0, most: 0 })).status;
  }

  /** Jobs that ended last, as far as nodes remember: up to `most` of each node. */
  async lastEnded(most: number, end?: FinalState, label?: string): Promise<Ended> {
    const { node, activity } = this.#options;
    const query = new URLSearchParams({ most: String(most), ...(end && { end }), ...(label && { label }) });
    const silent: NodeName[] = [];
    const lists = (await this.#living()).map(async (peer) => {
      if (peer.name === node) return activity.lastEnded(most, end, label);
      try {
        const told = (await this.#ask(peer, `/v1/jobs/ended?${query.toString()}`)) as { ids: unknown[] };
        return told.ids.map(parseJobId);
      } catch {
        silent.push(peer.name);
        return [];
      }
    });
    return { ids: (await Promise.all(lists)).flat(), silent };
  }

  /** By name, so that each keeps its place wherever they are shown. */
  async #living(): Promise<NodeFacts[]> {
    return (await livingNodes(this.#options.store)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What nodes of one release answer each other is taken as it is. */
  #ask(peer: NodeFacts, path: string): Promise<unknown> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return this.#options.peers.ask(peer, { method: "GET", path, signal, idleMs: PATIENCE_MS });
  }
}
