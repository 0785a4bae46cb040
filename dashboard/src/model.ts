import { type ClusterStatus, quantileMs, type RunNote, type RunsOfNode } from "../../src/core/activity.ts";
import { BusyWorkers } from "./busy.ts";
import { EndedRuns } from "./ended-runs.ts";

/** Bars that are remembered: more than a screen shows. */
const MOST_RUNS = 2_500;
/** Points of each chart: five minutes. */
const MOST_POINTS = 600;

/** A run with its times by the browser's clock. */
export interface Bar extends RunNote {
  readonly node: string;
}

export const SERIES = [
  "at",
  "succeeded",
  "failed",
  "instant",
  "p50",
  "p95",
  "waiting",
  "running",
  "nodes",
  "workers",
] as const;
export type Series = (typeof SERIES)[number];

/** What the page knows. It never grows beyond what it shows. */
export class Model {
  status: ClusterStatus | undefined;
  readonly bars: Bar[] = [];
  readonly series: Readonly<Record<Series, (number | null)[]>> = newSeries();
  /** Runs of which only the number is known. */
  skipped = 0;
  /** Workers at work, on average since the last news. */
  busy = 0;
  trouble: string | undefined;
  /** By how much each node's clock is behind the browser's, in ms. */
  readonly offsets = new Map<string, number>();
  readonly #workers = new BusyWorkers();
  readonly #ended = new EndedRuns();
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  takeStatus(status: ClusterStatus): void {
    this.status = status;
    this.busy = this.#workers.count(status);
    const names = new Set<string>(status.nodes.map(({ name }) => name));
    for (const name of this.offsets.keys()) if (!names.has(name)) this.offsets.delete(name);
    for (const { name, status: own } of status.nodes)
      if (own !== null) this.offsets.set(name, Date.now() - own.nowMs);
    this.#addPoint(status);
    this.#tell();
  }

  takeRuns(news: readonly RunsOfNode[]): void {
    for (const { node, runs, skipped } of news) {
      const offset = this.offsets.get(node) ?? 0;
      for (const run of runs)
        this.bars.push({
          ...run,
          node,
          begunAtMs: run.begunAtMs === null ? null : run.begunAtMs + offset,
          endedAtMs: run.endedAtMs + offset,
        });
      this.skipped += skipped;
    }
    if (this.bars.length > MOST_RUNS) this.bars.splice(0, this.bars.length - MOST_RUNS);
    this.#tell();
  }

  setTrouble(message: string | undefined): void {
    if (message === this.trouble) return;
    this.trouble = message;
    this.#tell();
  }

  #addPoint(status: ClusterStatus): void {
    const ended = this.#ended.count(status);
    if (ended === undefined) return;
    const { succeeded, failed, instant, durations } = ended;
    const own = status.nodes.flatMap(({ status: one }) => one ?? []);
    const workers = own.flatMap((one) => one.workers);
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
    this.#push({
      at: Date.now() / 1_000,
      succeeded,
      failed,
      instant,
      p50: quantileMs(durations, 0.5) ?? null,
      p95: quantileMs(durations, 0.95) ?? null,
      waiting: sum(status.queues.map(({ jobs }) => jobs)),
      running: this.busy,
      nodes: sum(own.map(({ memory }) => memory.nodeBytes)) / 1e6,
      workers: sum(workers.map(({ memoryBytes }) => memoryBytes ?? 0)) / 1e6,
    });
  }

  #push(point: Readonly<Record<Series, number | null>>): void {
    for (const name of SERIES) {
      const points = this.series[name];
      points.push(point[name]);
      if (points.length > MOST_POINTS) points.shift();
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function newSeries(): Record<Series, (number | null)[]> {
  return Object.fromEntries(SERIES.map((name) => [name, []])) as unknown as Record<Series, (number | null)[]>;
}
