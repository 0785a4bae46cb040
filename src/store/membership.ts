/** Which nodes there are, and what they hold: a part of every store's contract, as `port.ts` has it. */
import type { NodeName } from "../core/ids.ts";

export interface Membership {
  /**
   * Takes up the node's name and starts its lease. Jobs that ran under an earlier lease of this name are taken from it,
   * and the next `sweep` of any node gives them back to their queues (or lists them as exhausted): sweep right after.
   * Answers `taken` when the name's lease is held by another process (another `incarnation`), and `refused` when other
   * nodes are there that differ in `terms`; a cluster without nodes takes on those of the first that registers.
   */
  register(node: NodeRegistration): Promise<RegisterReply>;
  /**
   * Renews the lease and the node's facts. `lapsed`: it had run out, the node's jobs are not its own any more, and it
   * has to register again.
   */
  heartbeat(node: NodeRegistration): Promise<"renewed" | "lapsed">;
  /**
   * Ends the lease: the node's running jobs, if any, go back to their queues without a death. Those that run at most once
   * may have begun: they are lost, as with the node of a lease that ran out.
   */
  leave(node: NodeName): Promise<void>;
  /** The nodes whose leases hold. */
  nodes(): Promise<NodeRecord[]>;
}

export interface NodeRegistration {
  readonly name: NodeName;
  /** Differs for every process. */
  readonly incarnation: string;
  /** What all nodes of a cluster have to agree in. */
  readonly terms: ClusterTerms;
  readonly leaseMs: number;
  /** The node's facts as JSON (url, workers, queues, versions …): opaque here. */
  readonly facts: string;
}
export interface ClusterTerms {
  /** A fingerprint of the token, which cannot be used as one. */
  readonly token: string;
  readonly protocol: number;
}

export type RegisterReply =
  | { readonly type: "registered" }
  /** The name's lease is held by another process. */
  | { readonly type: "taken" }
  /** Nodes of other terms are there: theirs. Unless that is certain they may be gone, as nobody was heard of lately. */
  | { readonly type: "refused"; readonly theirs: ClusterTerms; readonly isCertain: boolean };

export interface NodeRecord {
  readonly name: NodeName;
  readonly facts: string;
  readonly leaseEndsAtMs: number;
  readonly runningJobs: number;
}
