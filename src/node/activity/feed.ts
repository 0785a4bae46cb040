import type { ClusterStatus, NodeActivity, RunNote, RunsOfNode } from "../../core/activity.ts";
import type { NodeName } from "../../core/ids.ts";
import { KitchenError } from "../../core/errors.ts";
import type { ClusterWatch } from "./cluster-watch.ts";
import { Ring } from "./ring.ts";

const EVERY_MS = 500;
/** Of each node, each time. */
const MOST_RUNS = 300;
/** Of each node, for those who come later or read slowly. */
const KEPT_RUNS = 1_000;
const MOST_LISTENERS = 64;

/** What a listener is told each time; an error when the store does not answer. */
export type News = { readonly status: ClusterStatus; readonly runs: readonly RunsOfNode[] } | Error;

interface Listener {
  readonly onNews: (news: () => News) => void;
  /** The last run of each node that it was told of. */
  readonly told: Map<NodeName, number>;
}

interface NodeMemory {
  readonly runs: Ring<RunNote>;
  seq: number;
}

/** What happens in the cluster, over and over, while somebody listens: all nodes are asked once for all who do. */
export class Feed {
  readonly #watch: Pick<ClusterWatch, "gather">;
  readonly #everyMs: number;
  readonly #listeners = new Set<Listener>();
  #nodes = new Map<NodeName, NodeMemory>();
  #isRunning = false;

  constructor(watch: Pick<ClusterWatch, "gather">, everyMs: number = EVERY_MS) {
    this.#watch = watch;
    this.#everyMs = everyMs;
  }

  /**
   * Calls `onNews` every half second, until what it gives is called. Who calls the function that it is given gets what
   * happened since it last did, as far as that is remembered; who does not, misses nothing yet.
   * @throws KitchenError `KS_BUSY`
   */
  listen(onNews: (news: () => News) => void): () => void {
    if (this.#listeners.size >= MOST_LISTENERS)
      throw new KitchenError("KS_BUSY", `Cannot follow the cluster: ${MOST_LISTENERS} readers do already`);
    const listener = { onNews, told: new Map<NodeName, number>() };
    this.#listeners.add(listener);
    if (!this.#isRunning) void this.#run();
    return () => this.#listeners.delete(listener);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#listeners.size > 0) {
      const status = await this.#gather();
      for (const listener of this.#listeners) listener.onNews(() => this.#newsFor(listener, status));
      await new Promise((resolve) => setTimeout(resolve, this.#everyMs).unref());
    }
    this.#nodes.clear();
    this.#isRunning = false;
  }

  async #gather(): Promise<ClusterStatus | Error> {
    try {
      const after = (node: NodeName): number => this.#nodes.get(node)?.seq ?? 0;
      const { status, activities } = await this.#watch.gather({ after, most: MOST_RUNS });
      const names = new Set(status.nodes.map(({ name }) => name));
      for (const name of this.#nodes.keys()) if (!names.has(name)) this.#nodes.delete(name);
      for (const [name, activity] of activities) this.#remember(name, activity);
      return status;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #remember(name: NodeName, { runs, seq }: NodeActivity): void {
    let node = this.#nodes.get(name);
    // A node that was started again counts anew.
    if (node === undefined || node.seq > seq) node = { runs: new Ring(KEPT_RUNS), seq: 0 };
    this.#nodes.set(name, node);
    for (const run of runs) node.runs.push(run);
    node.seq = seq;
  }

  #newsFor({ told }: Listener, status: ClusterStatus | Error): News {
    if (status instanceof Error) return status;
    for (const name of told.keys()) if (!this.#nodes.has(name)) told.delete(name);
    const runs = Array.from(this.#nodes, ([node, memory]) => newsOf(node, memory, told));
    return { status, runs: runs.filter(({ runs: some, skipped }) => some.length > 0 || skipped > 0) };
  }
}

function newsOf(node: NodeName, { runs, seq }: NodeMemory, told: Map<NodeName, number>): RunsOfNode {
  const known = told.get(node);
  const after = known === undefined || known > seq ? 0 : known;
  const fresh: RunNote[] = [];
  for (const run of runs.newest()) {
    if (run.seq <= after || fresh.length === MOST_RUNS) break;
    fresh.push(run);
  }
  told.set(node, seq);
  // Whoever has just come has missed nothing.
  const skipped = known === undefined ? 0 : seq - after - fresh.length;
  return { node, runs: fresh.toReversed(), skipped };
}
