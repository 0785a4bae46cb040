import { setTimeout as sleep } from "node:timers/promises";
import type { Lane, LaneTotals } from "../../core/activity.ts";
import type { FinalState } from "../../core/job-states.ts";
import type { DataDirectory } from "../../data/directory.ts";
import type { Waiting } from "../../store/inspection.ts";
import type { Store } from "../../store/port.ts";
import type { Pool } from "../../worker/pool.ts";
import type { Activity } from "../activity/activity.ts";
import { EventLoopLag } from "./event-loop.ts";
import { exposition, type Family, type Sample } from "./exposition.ts";

/** A store that does not answer must not keep the rest from being told. */
const STORE_MS = 2_000;

export interface MetricsOptions {
  readonly activity: Pick<Activity, "totals" | "times" | "waits">;
  readonly store: Pick<Store, "nodes" | "waiting" | "trips">;
  readonly pools: Readonly<Record<Lane, Pick<Pool, "workers">>>;
  readonly directory: Pick<DataDirectory, "moved" | "room">;
  readonly running: () => number;
  /** Those that this node serves are told also when nothing waits there. */
  readonly queues: readonly string[];
}

/** What Prometheus is told: each metric has its row in docs/operations.md. */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #lag = new EventLoopLag();

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  async text(): Promise<string> {
    return exposition([...(await this.#cluster()), ...this.#work(), ...this.#data(), ...this.#process()]);
  }

  close(): void {
    this.#lag.close();
  }

  /** The same on each node, as the store has it. */
  async #cluster(): Promise<Family[]> {
    const { store, queues } = this.#options;
    const known = await inTime(Promise.all([store.nodes(), store.waiting()]));
    return [
      gauge("kitchensink_store_up", "Whether the store answers.", [{ value: known === undefined ? 0 : 1 }]),
      gauge(
        "kitchensink_nodes",
        "Nodes of the cluster.",
        known === undefined ? [] : [{ value: known[0].length }],
      ),
      gauge(
        "kitchensink_queue_jobs",
        "Jobs that wait, by queue.",
        known === undefined ? [] : queuesOf(known[1], queues),
      ),
      counter("kitchensink_store_trips_total", "Commands sent to the store.", [{ value: store.trips }]),
    ];
  }

  #work(): Family[] {
    const { activity, pools, running } = this.#options;
    const { queue, instant } = activity.totals();
    const workers = { queue: pools.queue.workers, instant: pools.instant.workers };
    return [
      gauge(
        "kitchensink_workers",
        "Workers that can take calls.",
        by("lane", workers, ({ length }) => length),
      ),
      gauge("kitchensink_jobs_running", "Jobs that this node has claimed and not ended.", [
        { value: running() },
      ]),
      counter(
        "kitchensink_jobs_ended_total",
        "Attempts of jobs by what the job became.",
        by("state", { ...endsOf(queue), queued: queue.requeued }, Number),
      ),
      counter(
        "kitchensink_instant_calls_ended_total",
        "Instant calls by their end.",
        by("state", endsOf(instant), Number),
      ),
      {
        name: "kitchensink_run_duration_seconds",
        help: "How long functions ran.",
        type: "histogram",
        samples: Object.entries(activity.times()).map(([lane, value]) => ({ labels: { lane }, value })),
      },
      {
        name: "kitchensink_queue_wait_seconds",
        help: "From a call to the claim of its job.",
        type: "histogram",
        samples: [{ labels: {}, value: activity.waits }],
      },
    ];
  }

  #data(): Family[] {
    const { moved, room } = this.#options.directory;
    return [
      counter("kitchensink_data_sent_bytes_total", "Bytes of data sent from files.", [
        { value: moved.sentBytes },
      ]),
      counter(
        "kitchensink_data_received_bytes_total",
        "Bytes of data that came, by their way.",
        by("way", moved.receivedBytes, Number),
      ),
      gauge("kitchensink_data_free_bytes", "Room for data on the disk.", [{ value: room.freeBytes }]),
    ];
  }

  #process(): Family[] {
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const lag = this.#lag.take().map(([quantile, value]) => ({ labels: { quantile }, value }));
    return [
      gauge("kitchensink_process_resident_memory_bytes", "Memory of the node's process.", [{ value: rss }]),
      gauge("kitchensink_process_heap_bytes", "Its heap in use.", [{ value: heapUsed }]),
      counter("kitchensink_process_cpu_seconds_total", "CPU time of the node's process.", [
        { value: (user + system) / 1e6 },
      ]),
      gauge("kitchensink_event_loop_lag_seconds", "How late the event loop was since the last scrape.", lag),
    ];
  }
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: "gauge", samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: "counter", samples };
}

function by<T>(label: string, values: Readonly<Record<string, T>>, value: (of: T) => number): Sample[] {
  return Object.entries(values).map(([key, of]) => ({ labels: { [label]: key }, value: value(of) }));
}

function endsOf({ succeeded, failed, cancelled }: LaneTotals): Record<FinalState, number> {
  return { succeeded, failed, cancelled };
}

function queuesOf({ queues }: Waiting, served: readonly string[]): Sample[] {
  const waiting = new Map(served.map((queue) => [queue, 0]));
  for (const { queue, jobs } of queues) waiting.set(queue, jobs);
  return by("queue", Object.fromEntries(waiting), Number);
}

/** `undefined` when it fails, or does not answer in time. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  const answered = new AbortController();
  try {
    return await Promise.race([answer, sleep(STORE_MS, undefined, { signal: answered.signal })]);
  } catch {
    return undefined;
  } finally {
    answered.abort();
  }
}
