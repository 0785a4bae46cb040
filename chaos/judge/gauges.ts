// What processes hold while the run goes on: those that live as long as it does.
import { memoryMB } from "../../bench/support/processes.ts";
import { openFilesOf } from "../stage/processes.ts";
import type { Tally } from "./tally.ts";

/** From the beginning to the end, when everything has settled. */
const MOST_GROWTH = { MB: 80, files: 40 } as const;
/** Of memory, over the last four fifths of a run that is long enough to tell. */
const MOST_MB_AN_HOUR = 60;
const LONG_MS = 10 * 60_000;
const WARM_UP = 0.2;

interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** One figure of one process. */
class Gauge {
  readonly samples: Sample[] = [];

  get first(): number {
    return this.samples[0]?.value ?? Number.NaN;
  }

  get last(): number {
    return this.samples.at(-1)?.value ?? Number.NaN;
  }

  get growth(): number {
    return this.last - this.first;
  }

  /** By least squares, an hour. */
  get slope(): number {
    const warm = this.samples.slice(Math.floor(this.samples.length * WARM_UP));
    const mean = (of: (sample: Sample) => number): number =>
      warm.reduce((sum, sample) => sum + of(sample), 0) / warm.length;
    const [meanMs, meanValue] = [mean(({ atMs }) => atMs), mean(({ value }) => value)];
    const spread = mean(({ atMs }) => (atMs - meanMs) ** 2);
    return (mean(({ atMs, value }) => (atMs - meanMs) * (value - meanValue)) / spread) * 3_600_000;
  }
}

export class Gauges {
  readonly #gauges = new Map<string, Gauge>();
  readonly #startedAt = Date.now();

  /** Of a process that works by now: what it took to get there does not count. */
  take(name: string, pid: number): void {
    if (pid === 0) return;
    this.note(`MB of ${name}`, memoryMB(pid));
    this.note(`files of ${name}`, openFilesOf(pid));
  }

  note(name: string, value: number): void {
    if (!Number.isFinite(value)) return;
    const gauge = this.#gauges.get(name) ?? new Gauge();
    this.#gauges.set(name, gauge);
    gauge.samples.push({ atMs: Date.now() - this.#startedAt, value });
  }

  /** Says what grew, for people, and breaks what grew too much. */
  judge(tally: Tally, durationMs: number): string[] {
    return [...this.#gauges].map(([name, gauge]) => {
      const unit = name.startsWith("MB") ? "MB" : "files";
      const isSteep = unit === "MB" && durationMs >= LONG_MS && gauge.slope > MOST_MB_AN_HOUR;
      const trend = durationMs >= LONG_MS ? `, ${gauge.slope.toFixed(0)} more an hour` : "";
      const story = `${name}: ${gauge.first.toFixed(0)} at first, ${gauge.last.toFixed(0)} at last${trend}`;
      if (gauge.growth > MOST_GROWTH[unit] || isSteep) tally.break("memory or files grown", story);
      return story;
    });
  }
}
