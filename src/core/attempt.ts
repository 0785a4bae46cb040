import type { FinalState } from "./job-states.ts";

/** How one attempt ended. */
export type AttemptEnd =
  | { readonly type: "returned"; readonly outcome: Uint8Array }
  | { readonly type: "threw"; readonly outcome: Uint8Array }
  /** Cancelled or timed out: ended because the node wanted it to. */
  | { readonly type: "stopped"; readonly state: FinalState; readonly outcome: Uint8Array }
  /** The worker died under it. `report` is the error that says how. */
  | {
      readonly type: "died";
      readonly outcome: Uint8Array;
      readonly isDeliberate: boolean;
      /** The report in a line, for that of a later death. */
      readonly note?: string;
    }
  /** It never began: the worker died under another job, or the node is leaving. */
  | { readonly type: "not-begun" };

/** What a call came to that has this attempt alone. */
export function stateAfter(end: Exclude<AttemptEnd, { type: "not-begun" }>): FinalState {
  if (end.type === "stopped") return end.state;
  return end.type === "returned" ? "succeeded" : "failed";
}

export interface AttemptCounts {
  /** Workers and nodes that died under the job before this attempt. */
  readonly deaths: number;
  /** Attempts that threw before this one. */
  readonly throws: number;
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly maxDeaths: number;
  /** Whether it may be begun again after its worker died under it. */
  readonly isIdempotent: boolean;
  /** Its result was a stream of items. */
  readonly hasStreamed: boolean;
}

export type NextStep =
  | { readonly next: FinalState; readonly outcome: Uint8Array }
  | {
      readonly next: "queued";
      readonly deaths: number;
      readonly throws: number;
      /** Nobody may begin it before that time. */
      readonly delayMs?: number;
      /** A line on the death that the attempt ended with. */
      readonly death?: string;
    };

/**
 * What becomes of a job after an attempt. Lost workers are retried up to `maxDeaths` in all, for the job may be
 * innocent; what a function throws is its answer, retried only as often as the caller asked for, each time after a pause,
 * as what failed may need one. A stream is never begun anew: its reader has had items already.
 */
export function decideNext(end: AttemptEnd, counts: AttemptCounts): NextStep {
  const { deaths, throws, retries, retryDelayMs, maxDeaths, isIdempotent, hasStreamed } = counts;
  switch (end.type) {
    case "returned":
      return { next: "succeeded", outcome: end.outcome };
    case "stopped":
      return { next: end.state, outcome: end.outcome };
    case "threw":
      return throws < retries && !hasStreamed
        ? { next: "queued", deaths, throws: throws + 1, delayMs: retryDelayMs }
        : { next: "failed", outcome: end.outcome };
    case "died":
      // process.exit() would end the next worker just so.
      return end.isDeliberate || hasStreamed || !isIdempotent || deaths + 1 >= maxDeaths
        ? { next: "failed", outcome: end.outcome }
        : {
            next: "queued",
            deaths: deaths + 1,
            throws,
            ...(end.note === undefined ? {} : { death: end.note }),
          };
    case "not-begun":
      return { next: "queued", deaths, throws };
  }
}
