import type { NodeName } from "../../core/ids.ts";
import type { ClusterTerms, NodeRecord, NodeRegistration } from "../port.ts";
import type { MemoryJob } from "./job.ts";

interface Lease {
  readonly incarnation: string;
  readonly terms: ClusterTerms;
  facts: string;
  endsAtMs: number;
  readonly running: Set<MemoryJob>;
}

/** The nodes' leases, and which jobs each runs. A lease that ran out stays until someone takes it away. */
export class Leases {
  readonly #leases = new Map<NodeName, Lease>();

  /** The jobs that the node runs, or `undefined` when it holds no lease. */
  running(node: NodeName, nowMs: number): Set<MemoryJob> | undefined {
    const lease = this.#leases.get(node);
    return lease !== undefined && lease.endsAtMs > nowMs ? lease.running : undefined;
  }

  /** Who holds the name now. */
  incarnation(node: NodeName, nowMs: number): string | undefined {
    const lease = this.#leases.get(node);
    return lease !== undefined && lease.endsAtMs > nowMs ? lease.incarnation : undefined;
  }

  /** Whether the node holds a lease. */
  holds(node: NodeName, nowMs: number): boolean {
    return this.running(node, nowMs) !== undefined;
  }

  /** The terms of the nodes that are there beside this one; all have the same. */
  termsOfOthers(node: NodeName, nowMs: number): ClusterTerms | undefined {
    for (const [name, { terms, endsAtMs }] of this.#leases)
      if (name !== node && endsAtMs > nowMs) return terms;
    return undefined;
  }

  grant({ name, incarnation, terms, leaseMs, facts }: NodeRegistration, nowMs: number): void {
    const endsAtMs = nowMs + leaseMs;
    const lease = this.#leases.get(name);
    if (lease === undefined)
      this.#leases.set(name, { incarnation, terms, facts, endsAtMs, running: new Set() });
    else Object.assign(lease, { terms, facts, endsAtMs });
  }

  /** Takes a lease away and hands out the jobs that ran under it. */
  take(node: NodeName): MemoryJob[] {
    const lease = this.#leases.get(node);
    this.#leases.delete(node);
    return lease === undefined ? [] : [...lease.running];
  }

  lapsed(nowMs: number): NodeName[] {
    return [...this.#leases].filter(([, lease]) => lease.endsAtMs <= nowMs).map(([name]) => name);
  }

  forget(job: MemoryJob): void {
    if (job.node !== undefined) this.#leases.get(job.node)?.running.delete(job);
  }

  records(nowMs: number): NodeRecord[] {
    return [...this.#leases]
      .filter(([, lease]) => lease.endsAtMs > nowMs)
      .map(([name, { facts, endsAtMs, running }]) => ({
        name,
        facts,
        leaseEndsAtMs: endsAtMs,
        runningJobs: running.size,
      }));
  }

  *runningJobs(): Iterable<MemoryJob> {
    for (const { running } of this.#leases.values()) yield* running;
  }
}
