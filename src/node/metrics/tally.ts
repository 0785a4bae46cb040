import type { AttemptEnd, NextStep } from "../../core/attempt.ts";
import { timeOfJob } from "../../core/ids.ts";
import type { ClaimedJob } from "../../store/port.ts";
import { Histogram } from "./histogram.ts";

export type Lane = "queue" | "instant";

/** What happened on this node since its start, counted as it happens. */
export class Tally {
  readonly runs: Readonly<Record<Lane, Histogram>> = { queue: new Histogram(), instant: new Histogram() };
  readonly waits: Histogram = new Histogram();
  /** What jobs became after an attempt here. */
  readonly jobs: Record<NextStep["next"], number> = { succeeded: 0, failed: 0, cancelled: 0, queued: 0 };
  readonly instantCalls: Record<Exclude<NextStep["next"], "queued">, number> = {
    succeeded: 0,
    failed: 0,
    cancelled: 0,
  };

  /** Jobs that waited until now. Their ids, which clients make, begin with the time of the call. */
  claimed(jobs: readonly ClaimedJob[], nowMs: number): void {
    for (const { id, attempt } of jobs) {
      const calledAtMs = attempt === 1 ? timeOfJob(id) : undefined;
      if (calledAtMs !== undefined) this.waits.observeMs(Math.max(0, nowMs - calledAtMs));
    }
  }

  jobEnded({ next }: Pick<NextStep, "next">, ranMs: number): void {
    this.jobs[next] += 1;
    if (ranMs > 0) this.runs.queue.observeMs(ranMs);
  }

  instantEnded(end: AttemptEnd, ranMs: number): void {
    if (end.type === "not-begun") return;
    this.instantCalls[
      end.type === "returned" ? "succeeded" : end.type === "stopped" ? end.state : "failed"
    ] += 1;
    if (ranMs > 0) this.runs.instant.observeMs(ranMs);
  }
}
