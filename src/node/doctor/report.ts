/** What nodes tell whoever looks after their cluster: facts. What to make of them is up to who asked. */
import type { NodeName } from "../../core/ids.ts";
import type { Pile } from "../../data/survey.ts";
import type { StoreDiagnosis, Waiting } from "../../store/inspection.ts";

/** The answer of `GET /v1/doctor`. `Told`: what nodes told of themselves, which the one that was asked passes on. */
export interface ClusterReport<Told = unknown> {
  /** The node that was asked. */
  readonly node: NodeName;
  readonly store: StoreReport;
  readonly nodes: readonly NodeReport<Told>[];
  readonly catalog: CatalogReport;
  readonly waiting: Waiting;
}

export interface StoreReport extends StoreDiagnosis {
  readonly description: string;
  /** ms since the epoch, by its clock. */
  readonly nowMs: number;
}

/** A node that holds its place in the cluster: what it told, or why it told nothing. */
export interface NodeReport<Told = unknown> {
  readonly name: NodeName;
  readonly url: string | null;
  /** `null`: it did not answer. */
  readonly told: Told | null;
  readonly error: string | null;
}

/** What a node knows of itself: the answer of `GET /v1/doctor/node`. */
export interface OwnReport {
  readonly version: string;
  readonly protocol: number;
  /** By how much its clock is ahead of the store's, in ms; negative: behind. */
  readonly clockAheadMs: number;
  readonly queues: readonly string[];
  readonly workers: number;
  /** How often in a row a worker died at its start. */
  readonly startFailures: number;
  readonly isReadOnly: boolean;
  readonly freeBytes: number;
  readonly reservedBytes: number;
  readonly isFull: boolean;
  readonly data: DirectoryReport;
}

export interface DirectoryReport {
  readonly path: string;
  readonly replicas: number;
  /** Data that it, or the catalog, says are there, and whose files are not. */
  readonly missing: Names;
  /** Replicas that the catalog does not list for it. */
  readonly unlisted: Names;
  readonly strangers: Pile;
  readonly quarantined: Pile;
  readonly leftovers: Pile;
  readonly isPartial: boolean;
}

/** Some names, of which a few are told. */
export interface Names {
  readonly count: number;
  readonly examples: readonly string[];
}

export interface CatalogReport {
  readonly urls: number;
  /** Data of which every replica is on a node that is away. */
  readonly orphans: Pile;
  /** The nodes that are away and have these. */
  readonly away: readonly NodeName[];
  readonly isPartial: boolean;
}
