import { freemem, totalmem } from "node:os";
import type { CurrentRun, Lane, NodeActivity, NodeStatus, WorkerStatus } from "../../core/activity.ts";
import type { NodeName } from "../../core/ids.ts";
import { PACKAGE_VERSION } from "../../core/version.ts";
import type { DataDirectory } from "../../data/directory.ts";
import type { Pool } from "../../worker/pool.ts";
import type { Attempt } from "../jobs/attempt.ts";
import { type Activity, epochMs } from "./activity.ts";
import { processMemory } from "./process-memory.ts";

/** A pool, and the attempts that were given to it. */
interface WatchedLane {
  readonly pool: Pool;
  readonly runner: { readonly attempts: Iterable<Attempt> };
}

export interface NodeWatchOptions {
  readonly node: NodeName;
  readonly activity: Activity;
  readonly lanes: Readonly<Record<Lane, WatchedLane>>;
  readonly directory: Pick<DataDirectory, "room" | "replicas">;
  readonly queues: readonly string[];
  readonly isReadOnly: boolean;
}

/** Looks at what happens on this node. */
export class NodeWatch {
  readonly #options: NodeWatchOptions;
  readonly #startedAtMs = epochMs(performance.now());

  constructor(options: NodeWatchOptions) {
    this.#options = options;
  }

  /** With up to `mostRuns` of the runs that ended after the one with the number `seq`. */
  async look(seq: number, mostRuns: number): Promise<NodeActivity> {
    return { status: await this.status(), ...this.#options.activity.since(seq, mostRuns) };
  }

  async status(): Promise<NodeStatus> {
    const { node: name, activity, isReadOnly, queues } = this.#options;
    const workers = await Promise.all([...this.#workersOf("queue"), ...this.#workersOf("instant")]);
    return {
      name,
      version: PACKAGE_VERSION,
      nowMs: epochMs(performance.now()),
      startedAtMs: this.#startedAtMs,
      isReadOnly,
      queues,
      workers,
      totals: activity.totals(),
      rates: activity.rates(),
      memory: { nodeBytes: process.memoryUsage.rss(), freeBytes: freemem(), totalBytes: totalmem() },
      data: this.#data(),
    };
  }

  #workersOf(lane: Lane): Promise<WorkerStatus>[] {
    const { activity, lanes } = this.#options;
    const { pool, runner } = lanes[lane];
    const nowMs = epochMs(performance.now());
    const [running, waiting] = [new Map<number, CurrentRun>(), new Map<number, number>()];
    for (const attempt of runner.attempts)
      if (attempt.begunAtMs === undefined) waiting.set(attempt.slot, (waiting.get(attempt.slot) ?? 0) + 1);
      else running.set(attempt.slot, currentRun(attempt, lane, attempt.begunAtMs));
    return pool.places.map(async ({ slot, worker }) => {
      const run = running.get(slot) ?? null;
      return {
        lane,
        slot,
        pid: worker?.pid ?? null,
        startedAtMs: worker?.startedAtMs ?? null,
        run,
        busyMs: Math.round(activity.busyMs(lane, slot) + (run === null ? 0 : nowMs - run.begunAtMs)),
        waiting: waiting.get(slot) ?? 0,
        memoryBytes: worker?.pid === undefined ? null : await processMemory(worker.pid),
      };
    });
  }

  #data(): NodeStatus["data"] {
    const { directory } = this.#options;
    const { freeBytes, isFull } = directory.room;
    let [count, bytes] = [0, 0];
    for (const { size } of directory.replicas()) {
      count += 1;
      bytes += size;
    }
    return { replicas: count, bytes, freeBytes, isFull };
  }
}

function currentRun({ job, spec }: Attempt, lane: Lane, begunAtMs: number): CurrentRun {
  return {
    id: job.id,
    attempt: job.attempt,
    label: spec.label,
    queue: lane === "queue" ? job.queue : null,
    begunAtMs: epochMs(begunAtMs),
  };
}
