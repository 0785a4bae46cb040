interface NodeDefaults {
  readonly queues: readonly string[];
  readonly numInstantWorkers: number;
  readonly leaseMs: number;
  /** Of a cancelled function, until its worker is killed. */
  readonly graceMs: number;
  readonly dataThresholdBytes: number;
  readonly resultTtlMs: number;
  readonly unitTtlMs: number;
  readonly queueLimit: number;
  readonly outputLimitBytes: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/** What a node is like where nothing else is said, by a flag of `kitchensink start` or an option of `startCluster`. */
export const NODE_DEFAULTS: NodeDefaults = {
  queues: ["default"],
  numInstantWorkers: 1,
  leaseMs: 6_000,
  graceMs: 5_000,
  dataThresholdBytes: 200_000_000,
  resultTtlMs: DAY_MS,
  unitTtlMs: 7 * DAY_MS,
  // More than anybody has waiting on purpose; so many small jobs take some 500 MB of Redis.
  queueLimit: 1_000_000,
  outputLimitBytes: 4_000_000,
};
