import { messageOf } from "../../core/errors.ts";
import type { NodeName } from "../../core/ids.ts";
import { PACKAGE_VERSION, PROTOCOL_VERSION } from "../../core/version.ts";
import type { Store } from "../../store/port.ts";
import type { DataService } from "../data/data-service.ts";
import { livingNodes, type NodeFacts } from "../facts.ts";
import { surveyCatalog } from "./catalog.ts";
import type { ClusterReport, DirectoryReport, Names, NodeReport, OwnReport } from "./report.ts";

/** A node that says nothing for so long does not answer. */
const IDLE_MS = 5_000;
const MOST_EXAMPLES = 5;

/** What the node says of itself beside its data. */
export type Vitals = Pick<OwnReport, "queues" | "workers" | "startFailures" | "isReadOnly">;

export interface DoctorOptions {
  readonly node: NodeName;
  readonly store: Store;
  readonly data: DataService;
  readonly vitals: () => Vitals;
}

/** Gathers what there is to know of a cluster. */
export class Doctor {
  readonly #options: DoctorOptions;

  constructor(options: DoctorOptions) {
    this.#options = options;
  }

  /** Of the whole cluster: every node is asked. */
  async cluster(): Promise<ClusterReport> {
    const { node, store } = this.#options;
    const living = await livingNodes(store);
    const [diagnosis, nowMs, waiting, catalog, nodes] = await Promise.all([
      store.diagnose(),
      store.now(),
      store.waiting(),
      surveyCatalog(store, new Set(living.map(({ name }) => name))),
      Promise.all(living.map((peer) => this.#ask(peer))),
    ]);
    return { node, store: { ...diagnosis, description: store.description, nowMs }, nodes, catalog, waiting };
  }

  /** Of this node. */
  async own(): Promise<OwnReport> {
    const { vitals } = this.#options;
    const [clockAheadMs, room, data] = await Promise.all([
      this.#clockAheadMs(),
      this.#options.data.directory.look(),
      this.#directory(),
    ]);
    return { version: PACKAGE_VERSION, protocol: PROTOCOL_VERSION, clockAheadMs, ...vitals(), ...room, data };
  }

  async #ask(peer: NodeFacts): Promise<NodeReport> {
    const { node, data } = this.#options;
    const { name, url } = peer;
    const about = { name, url: url?.href ?? null };
    try {
      const asked = { method: "GET", path: "/v1/doctor/node", idleMs: IDLE_MS } as const;
      const told = name === node ? await this.own() : await data.peers.ask(peer, asked);
      return { ...about, told, error: null };
    } catch (error) {
      return { ...about, told: null, error: messageOf(error) };
    }
  }

  /** The answer may have been made at any time of the question's way. */
  async #clockAheadMs(): Promise<number> {
    const [before, asked] = [Date.now(), performance.now()];
    const storeMs = await this.#options.store.now();
    return Math.round(before + (performance.now() - asked) / 2 - storeMs);
  }

  async #directory(): Promise<DirectoryReport> {
    const { node, store, data } = this.#options;
    const here = new Set<string>(Array.from(data.directory.replicas(), ({ url }) => url));
    const listed = new Set<string>(await store.dataOf(node));
    const { missing, ...rest } = await data.directory.survey(new Set([...here, ...listed]));
    return {
      path: data.directory.path,
      replicas: here.size,
      missing: namesOf(missing),
      unlisted: namesOf([...here].filter((url) => !listed.has(url))),
      ...rest,
    };
  }
}

function namesOf(names: readonly string[]): Names {
  return { count: names.length, examples: names.slice(0, MOST_EXAMPLES) };
}
