import type { WorkerSettings } from "../../core/messages.ts";
import { workerEnvironment } from "../../worker/environment.ts";
import type { OomKills } from "../../worker/oom-kills.ts";
import type { OrphanGuard } from "../../worker/orphan-guard.ts";
import { type WorkerOptions, WorkerProcess } from "../../worker/worker-process.ts";
import { localUrl, type NodeOptions } from "../options.ts";

const MAX_WORKER_FRAME_BYTES = 128 * 1024 * 1024;

/** What all workers of a node have in common. */
export interface WorkersOfNode {
  readonly guard: OrphanGuard;
  readonly oomKills: OomKills;
}

export interface PlaceOfWorker extends Pick<WorkerOptions, "slot"> {
  readonly url: URL;
  readonly keepsResults: boolean;
}

/** A larger result becomes a file: for Redis and for who waits, this is where a file begins to be cheaper. */
export const INLINE_RESULT_BYTES = 1_000_000;

/** Starts a worker process of a node, which can be reached at `url` by now. */
export function spawnWorker(
  options: NodeOptions,
  { url, keepsResults, ...all }: WorkersOfNode & PlaceOfWorker,
): WorkerProcess {
  const { environmentNames, workerMemoryBytes: memoryBytes, earlyProcesses, log } = options;
  return new WorkerProcess({
    settings: { ...settingsOf(options, url), keepsResults },
    environment: workerEnvironment(process.env, environmentNames),
    memoryBytes,
    child: earlyProcesses?.take(),
    ...all,
    maxFrameBytes: MAX_WORKER_FRAME_BYTES,
    onStrayOutput: (text) => log.info(`a worker printed outside of any job: ${text.trimEnd()}`),
  });
}

function settingsOf(options: NodeOptions, url: URL): Omit<WorkerSettings, "secret" | "keepsResults"> {
  const { name, token, isReadOnly, modules, isArbitraryBanned } = options;
  return {
    node: { name, url: url.href },
    access: {
      url: localUrl(options, String(options.port ?? (url.port || 80))),
      token,
      takesData: !isReadOnly,
    },
    modules,
    inlineResultBytes: options.inlineResultBytes ?? INLINE_RESULT_BYTES,
    isArbitraryBanned,
  };
}
