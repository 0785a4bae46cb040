import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";

const RESOLUTION_MS = 20;
const NS_PER_S = 1e9;

/** How late the event loop is with what is due. Measured from the first question on: a node that nobody asks pays nothing. */
export class EventLoopLag {
  #delays: IntervalHistogram | undefined;

  /** Since the last question, in seconds, by quantile. */
  take(): readonly (readonly [quantile: string, seconds: number])[] {
    if (this.#delays === undefined) {
      this.#delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      this.#delays.enable();
      return [];
    }
    const delays = this.#delays;
    const quantiles = [
      ["0.5", 50],
      ["0.99", 99],
      ["1", 100],
    ] as const;
    const taken = quantiles.map(
      ([label, percentile]) => [label, lateness(delays.percentile(percentile))] as const,
    );
    delays.reset();
    return taken;
  }

  close(): void {
    this.#delays?.disable();
  }
}

/** What is measured is the time between two ticks. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NS_PER_S - RESOLUTION_MS / 1_000);
}
