import type { NodeName } from "../../core/ids.ts";
import type { ClusterTerms, NodeRecord, NodeRegistration } from "../membership.ts";
import type { MemoryJob } from "./job.ts";

interface Lease {
  readonly incarnation: string;
  readonly terms: ClusterTerms;
  facts: string;
  endsAtMs: number;
  readonly running: Set<MemoryJob>;
}

/** Of a silence this part of a lease counts: somewhat more than a heartbeat takes to be followed by the next. */
const COUNTED = 0.4;

/**
 * The nodes' leases, and which jobs each runs. A lease that ran out stays until someone takes it away.
 *
 * Leases end by a time of their own, which stands still while no node is heard of: then nobody could reach the store, or
 * the process that has it was stopped.
 */
export class Leases {
  readonly #leases = new Map<NodeName, Lease>();
  /** Until when the time of leases goes on, unless a node is heard of. */
  #heardUntilMs = Infinity;

  /** The jobs that the node runs, or `undefined` when it holds no lease. */
  running(node: NodeName, nowMs: number): Set<MemoryJob> | undefined {
    const lease = this.#leases.get(node);
    return lease !== undefined && lease.endsAtMs > this.#timeMs(nowMs) ? lease.running : undefined;
  }

  /** Whether this process holds the name, another one does, or nobody. */
  holder({ name, incarnation }: NodeRegistration, nowMs: number): "own" | "other" | undefined {
    const lease = this.#leases.get(name);
    if (lease?.incarnation === incarnation) return this.holds(name, nowMs) ? "own" : undefined;
    // For another process the name is free when its holder was silent for a lease, whoever else was.
    return lease !== undefined && lease.endsAtMs > nowMs ? "other" : undefined;
  }

  /** Whether the node holds a lease. */
  holds(node: NodeName, nowMs: number): boolean {
    return this.running(node, nowMs) !== undefined;
  }

  /** The terms of the nodes that are there beside this one; all have the same. */
  termsOfOthers(node: NodeName, nowMs: number): ClusterTerms | undefined {
    for (const [name, { terms }] of this.#leases) if (name !== node && this.holds(name, nowMs)) return terms;
    return undefined;
  }

  /** Whether no node was heard of lately. */
  isSilent(nowMs: number): boolean {
    return nowMs > this.#heardUntilMs;
  }

  /** A node is heard of, and so the time of leases goes on. */
  hear({ leaseMs }: NodeRegistration, nowMs: number): void {
    const countedMs = Math.floor(COUNTED * leaseMs);
    if (this.isSilent(nowMs)) this.#endSilence(nowMs, { leaseMs, countedMs });
    const known = this.#heardUntilMs === Infinity ? 0 : this.#heardUntilMs;
    this.#heardUntilMs = Math.max(known, nowMs + countedMs);
  }

  /** Leases end as much later as the silence was; after one of a whole lease they begin anew. */
  #endSilence(nowMs: number, { leaseMs, countedMs }: { leaseMs: number; countedMs: number }): void {
    const missedMs = nowMs - this.#heardUntilMs;
    const isLong = missedMs + countedMs >= leaseMs;
    for (const [name, lease] of this.#leases)
      if (this.holds(name, nowMs)) lease.endsAtMs = isLong ? nowMs + leaseMs : lease.endsAtMs + missedMs;
  }

  #timeMs(nowMs: number): number {
    return Math.min(nowMs, this.#heardUntilMs);
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
    if (this.#leases.size === 0) this.#heardUntilMs = Infinity;
    return lease === undefined ? [] : [...lease.running];
  }

  lapsed(nowMs: number): NodeName[] {
    return [...this.#leases.keys()].filter((name) => !this.holds(name, nowMs));
  }

  forget(job: MemoryJob): void {
    if (job.node !== undefined) this.#leases.get(job.node)?.running.delete(job);
  }

  records(nowMs: number): NodeRecord[] {
    return [...this.#leases]
      .filter(([name]) => this.holds(name, nowMs))
      .map(([name, { facts, endsAtMs, running }]) => ({
        name,
        facts,
        leaseEndsAtMs: endsAtMs,
        runningJobs: running.size,
      }));
  }

  /** The jobs that ran on the node when it was heard of last. */
  jobsOf(node: NodeName): MemoryJob[] {
    return [...(this.#leases.get(node)?.running ?? [])];
  }

  *runningJobs(): Iterable<MemoryJob> {
    for (const { running } of this.#leases.values()) yield* running;
  }
}
