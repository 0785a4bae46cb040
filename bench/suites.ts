// What can be measured: one line here, and one file beside it, for each benchmark.
import type { Options } from "./support/arguments.ts";
import type { Report } from "./support/report.ts";

export interface Suite {
  readonly what: string;
  /** Then `all` leaves it out. */
  readonly needsRoot?: true;
  /** A suite that prints for itself gives nothing. */
  readonly run: (options: Options) => Promise<Report | undefined>;
}

export const SUITES: Readonly<Record<string, Suite>> = {
  calls: {
    what: "calls in a second, how long one takes, and what it costs, beside others",
    run: async (options) => (await import("./calls.ts")).measureCalls(options),
  },
  profile: {
    what: "what a queued call costs each process, part by part",
    run: async (options) => (await import("./profile.ts")).measureProfile(options),
  },
  variants: {
    what: "calls that print, take large arguments, capture variables",
    run: async (options) => (await import("./variants.ts")).measureVariants(options),
  },
  memory: {
    what: "what processes hold: idle, with jobs that wait, during a very long map",
    run: async (options) => (await import("./memory.ts")).measureMemory(options),
  },
  start: {
    what: "how long a node, a worker and a client take to start",
    run: async (options) => (await import("./start.ts")).measureStart(options),
  },
  growth: {
    what: "more nodes, and more jobs that wait",
    run: async (options) => (await import("./growth.ts")).measureGrowth(options),
  },
  scale: {
    what: "what Redis spends on a job as nodes become many",
    run: async (options) => (await import("./scale.ts")).measureScale(options),
  },
  capture: {
    what: "taking functions apart and making them again, in one process",
    run: async (options) => (await import("./capture.ts")).measureCapture(options),
  },
  bytes: {
    what: "saving, reading and copying data, beside nginx and curl, dd, and Dask",
    run: async (options) => (await import("./bytes.ts")).measureBytes(options),
  },
  broadcast: {
    what: "copies to eight hosts with 1 Gbit/s each, beside one copy",
    needsRoot: true,
    run: async () => void (await import("./broadcast.ts")),
  },
};
