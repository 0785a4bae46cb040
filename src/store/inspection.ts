/** What whoever looks after a cluster asks of its store: a part of every store's contract, as `port.ts` has it. */
import type { JobId, UnitHash } from "../core/ids.ts";
import type { JobFacts } from "./port.ts";

export interface Inspection {
  /**
   * Ids of jobs that wait or run, each once, however many there are: all that run; of each queue `most` or somewhat more,
   * those that are last in line; of those that wait in other ways up to `most` of each way.
   */
  someActive(most: number): Promise<JobId[]>;
  /** As `read`, without what may be large. */
  look(ids: readonly JobId[]): Promise<(JobFacts | undefined)[]>;
  /**
   * What the job was submitted to run, as it was given. `undefined`: it has succeeded, or is unknown. Of one that failed or was
   * cancelled it is kept as long as its record.
   */
  spec(id: JobId): Promise<Uint8Array | undefined>;
  /** How many bytes the units have, `undefined` for those that the store does not have. To ask is not to use them. */
  unitSizes(hashes: readonly UnitHash[]): Promise<(number | undefined)[]>;
  /** How many commands were sent to the store's server so far; 0 when it is embedded. */
  readonly trips: number;
  /** ms since the epoch, by the store's clock. */
  now(): Promise<number>;
  /** Where jobs wait, and how many. */
  waiting(): Promise<Waiting>;
  /** How the store itself is. What it may not be asked is left out. */
  diagnose(): Promise<StoreDiagnosis>;
}

export interface Waiting {
  readonly queues: readonly WaitingQueue[];
  /** Those of them that are offered to nodes that are gone, and to nobody else. */
  readonly unplaced: number;
}

export interface WaitingQueue {
  /** `default`, or `default|node3` for that node alone. */
  readonly queue: string;
  readonly jobs: number;
}

export interface StoreDiagnosis {
  /** `server`, `sentinel` and `cluster`: how a Redis is reached. */
  readonly kind: "embedded" | "server" | "sentinel" | "cluster";
  /** Those that may come to hold the store's keys. None when it is embedded. */
  readonly servers: readonly ServerDiagnosis[];
}

export interface ServerDiagnosis {
  /** `host:port` or a socket's path; `null`: it answered for its Redis Cluster, whichever it was. */
  readonly address: string | null;
  /** `Redis 7.0.15` or `Valkey 8.0.1` */
  readonly product: string;
  readonly isSupported: boolean;
  /** Whether each write goes to an append-only file. */
  readonly isAppendOnly: boolean;
  /** `always`, `everysec` or `no`; `null`: it does not say. */
  readonly appendFsync: string | null;
  /** When snapshots are made, as `save` has it, `""` for never; `null`: it does not say. */
  readonly save: string | null;
  /** Writes to disk of which the last one failed: `append-only file`, `rewrite of the append-only file`, `snapshot`. */
  readonly failedWrites: readonly string[];
  readonly evictionPolicy: string;
  /** 0: no limit. */
  readonly maxMemoryBytes: number;
  readonly usedMemoryBytes: number;
  /** Replicas that are connected. */
  readonly replicas: number;
}
