// What takes part in a benchmark. A contestant is one folder here and its lines in `list.ts`.
import type { BenchRedis } from "../support/redis.ts";
import type { Driver } from "./driver.ts";

export interface Contestant {
  /** For `--only`. */
  readonly name: string;
  /** For tables. */
  readonly title: string;
  /** Versions of what takes part, by its name; empty for this project itself. */
  readonly versions: () => Readonly<Record<string, string>>;
  /** How to install what is not there; undefined when all is there. */
  readonly missing: () => string | undefined;
  /** Of its calls; less for those that are slow. Default: `FULL`. */
  readonly counts?: Counts;
  readonly start: () => Promise<Running>;
}

/** How many calls of `add(1, 2)` are made. */
export interface Counts {
  /** One by one, by a client that has made none: how a program begins. */
  readonly cold: number;
  /** One by one, before the measured ones. */
  readonly warmUp: number;
  /** One by one, measured. */
  readonly oneByOne: number;
  /** At once. */
  readonly many: number;
  /** At once, when a contestant is fast enough. */
  readonly veryMany?: number;
}

export const FULL: Counts = { cold: 100, warmUp: 2_000, oneByOne: 2_000, many: 10_000 };
export const QUICK: Counts = { cold: 2, warmUp: 2, oneByOne: 5, many: 20 };

/** Processes of a contestant that was started. */
export interface Running {
  readonly driver: Driver;
  /** The process ids of each part; a part that it does not have is left out. */
  readonly parts: () => Partial<Record<Part, readonly number[]>>;
  /** Its own, when it needs one. */
  readonly redis?: BenchRedis | undefined;
  /** Ends all of it, the driver included. */
  readonly stop: () => Promise<void>;
}

export const PARTS = ["client", "node", "Redis", "workers"] as const;
export type Part = (typeof PARTS)[number];
