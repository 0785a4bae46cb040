import {
  DURATION_BUCKETS,
  durationBucket,
  type LaneRates,
  type LaneTotals,
  RATE_SECONDS,
  type RunEnd,
} from "../../core/activity.ts";
import { Histogram } from "../metrics/histogram.ts";

/** Counts the runs of a lane, however many. */
export class Tally {
  readonly #begun = new Meter();
  readonly #ended = new Meter();
  readonly #ends: Record<RunEnd, number> = { succeeded: 0, failed: 0, cancelled: 0, queued: 0 };
  /** How long they took, for Prometheus. */
  readonly times: Histogram = new Histogram();
  /** The same in narrower steps, for who reads totals. */
  readonly #durations = Array<number>(DURATION_BUCKETS).fill(0);

  begun(nowMs: number): void {
    this.#begun.count(nowMs);
  }

  ended(end: RunEnd, nowMs: number): void {
    this.#ends[end] += 1;
    this.#ended.count(nowMs);
  }

  took(ms: number): void {
    const bucket = durationBucket(ms);
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1;
    this.times.observeMs(ms);
  }

  totals(): LaneTotals {
    const { queued: requeued, ...ends } = this.#ends;
    return { begun: this.#begun.total, ...ends, requeued, durations: [...this.#durations] };
  }

  rates(nowMs: number): LaneRates {
    return { begunPerSecond: this.#begun.perSecond(nowMs), endedPerSecond: this.#ended.perSecond(nowMs) };
  }
}

/** Counts, and knows the rate of the last seconds. */
export class Meter {
  total = 0;
  /** The counts of the last full seconds and of the present one, each in its place. */
  readonly #seconds = Array<number>(RATE_SECONDS + 1).fill(0);
  #second = 0;
  #firstSecond = 0;

  count(nowMs: number): void {
    this.#goTo(nowMs);
    this.total += 1;
    const at = this.#second % this.#seconds.length;
    this.#seconds[at] = (this.#seconds[at] ?? 0) + 1;
  }

  /** Over the last full seconds since the first count. */
  perSecond(nowMs: number): number {
    this.#goTo(nowMs);
    const present = this.#seconds[this.#second % this.#seconds.length] ?? 0;
    const full = this.#seconds.reduce((sum, count) => sum + count, 0) - present;
    const seconds = Math.min(RATE_SECONDS, this.#second - this.#firstSecond);
    return seconds === 0 ? present : full / seconds;
  }

  #goTo(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    if (second <= this.#second) return;
    if (this.total === 0) this.#firstSecond = second;
    const gone = Math.min(second - this.#second, this.#seconds.length);
    for (let back = 0; back < gone; back += 1) this.#seconds[(second - back) % this.#seconds.length] = 0;
    this.#second = second;
  }
}
