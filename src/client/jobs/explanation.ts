import { parseJobId, type JobId } from "../../core/ids.ts";
import type { JobState } from "../../core/job-states.ts";
import { parseState } from "../listings.ts";
import { Reader } from "../reader.ts";

/** Why a job runs where it does. */
export interface PlacementExplanation {
  /** The job's. */
  readonly id: JobId;
  /** Of now. */
  readonly state: JobState;
  /** The queue that it waits or waited in. */
  readonly queue: string;
  /** Whether a node that lives runs that queue: a job of another one waits until such a node is started. */
  readonly isServed: boolean;
  /** The node that runs it, or ran it last; `null` before it was begun. */
  readonly node: string | null;
  /** The reason in words, for people. */
  readonly why: string;
  /** The data that it points to; `replicas` are names of nodes, `size` is in bytes. */
  readonly inputs: readonly {
    readonly url: string;
    readonly size: number;
    readonly replicas: readonly string[];
  }[];
  /** A node that would have to fetch more than this is left out. */
  readonly thresholdBytes: number;
  /** The nodes that may take it, best first, each `headStartMs` after the submit. */
  readonly candidates: readonly {
    readonly node: string;
    readonly missingBytes: number;
    readonly headStartMs: number;
  }[];
  /** The nodes that may not take it, and why. */
  readonly leftOut: readonly {
    readonly node: string;
    readonly missingBytes: number;
    readonly reason: string;
  }[];
}

export function parseExplanation(value: unknown): PlacementExplanation {
  const explanation = new Reader(value, "explanation");
  return {
    id: parseJobId(explanation.text("id")),
    state: parseState(explanation.text("state")),
    queue: explanation.text("queue"),
    isServed: explanation.boolean("isServed"),
    node: explanation.textOrNull("node"),
    why: explanation.text("why"),
    inputs: explanation.rows("inputs", "input").map((input) => ({
      url: input.text("url"),
      size: input.number("size"),
      replicas: input.texts("replicas"),
    })),
    thresholdBytes: explanation.number("thresholdBytes"),
    candidates: explanation.rows("candidates", "candidate").map((candidate) => ({
      node: candidate.text("node"),
      missingBytes: candidate.number("missingBytes"),
      headStartMs: candidate.number("headStartMs"),
    })),
    leftOut: explanation.rows("leftOut", "node left out").map((left) => ({
      node: left.text("node"),
      missingBytes: left.number("missingBytes"),
      reason: left.text("reason"),
    })),
  };
}
