import { newJobId } from "../../../src/client/calls/new-job-id.ts";
import { encodeSpec } from "../../../src/codec/wire.ts";
import { parseNodeName } from "../../../src/core/ids.ts";
import { OomKills } from "../../../src/worker/oom-kills.ts";
import type { OrphanGuard } from "../../../src/worker/orphan-guard.ts";
import type { StartRun } from "../../../src/worker/run-list.ts";
import { WorkerProcess } from "../../../src/worker/worker-process.ts";

/** A worker process without a node, which loads this module. */
export function startWorker(module: string, guard: OrphanGuard): WorkerProcess {
  return new WorkerProcess({
    slot: 1,
    settings: {
      node: { name: parseNodeName("n"), url: "http://localhost:1/" },
      access: { url: "http://localhost:1/", token: null, takesData: false },
      modules: [module],
      isArbitraryBanned: false,
      inlineResultBytes: 1_000_000,
      keepsResults: false,
    },
    environment: {},
    memoryBytes: undefined,
    guard,
    oomKills: new OomKills([]),
    maxFrameBytes: 1_000_000,
    onStrayOutput: () => {},
  });
}

/** A run of a registered function, with its own number as the argument. */
export function runOf(run: number, name: string): StartRun {
  const spec = encodeSpec({
    namespace: "default",
    name,
    label: name,
    units: [],
    codec: "json",
    fn: null,
    args: Buffer.from(`[${run}]`),
    timeoutMs: 0,
    retries: 0,
    retryDelayMs: 0,
    ttlMs: 0,
    isIdempotent: true,
    after: [],
    trace: null,
    streamsOutput: false,
  });
  return { run, jobId: newJobId(), attempt: 1, spec, outcomes: [] };
}
