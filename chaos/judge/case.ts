// What is known of one job.
import type { Begun, Expectation, Seen } from "../journal.ts";

/** What the cluster says of a job. */
export interface Record {
  readonly state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  readonly attempt: number;
  readonly deaths: number;
  readonly finishedAt?: string;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string };
  /** Where the codec is JSON. */
  readonly result?: unknown;
}

/** Somebody saw how it ended. */
export interface Sighting {
  readonly at: number;
  readonly by: string;
  readonly seen: Seen;
}

export interface Case {
  readonly id: string;
  readonly kind: string;
  readonly client: string;
  readonly madeAt: number;
  readonly expect: Expectation;
  /** Nobody waits for it, or nobody any more. */
  isLeft: boolean;
  takenAt?: number;
  cancelledAt?: number;
  readonly begun: Begun[];
  readonly sightings: Sighting[];
  /** Once it is final. */
  record?: Record;
  /** When the auditor looks at it next. */
  dueAt: number;
  /** How often it was asked for, and nobody knew it. */
  unknown: number;
}

/** What only the client says that waited, and not the job: how it ends is not known by these. */
const OF_THE_WAITER: ReadonlySet<string | null> = new Set([
  "KS_UNAVAILABLE",
  "KS_CONNECTION_LOST",
  "KS_NO_SUCH_JOB",
  "KS_BUSY",
  "KS_STATE_LOST",
]);

/** Whether it tells how the job ended. */
export function isEnd({ seen }: Sighting): boolean {
  return seen.type !== "error" || !OF_THE_WAITER.has(seen.code);
}

/** Whether the cluster has it, as far as anybody knows, and work to do with it. */
export function isUnended({ takenAt, record, sightings }: Case): boolean {
  return takenAt !== undefined && record === undefined && !sightings.some(isEnd);
}

/** In one line: what there is to compare. */
export function shown(seen: Seen): string {
  if (seen.type === "items") return `${seen.count} items`;
  if (seen.type === "value") return `${seen.mark.id} ${seen.mark.attempt} ${seen.mark.nonce}`;
  const mark = seen.mark === null ? "" : ` ${seen.mark.attempt} ${seen.mark.nonce}`;
  return `${seen.code ?? seen.name}${mark}`;
}

/** What a record would say of a call that has none. */
export function recordOf(seen: Seen): Record {
  if (seen.type !== "error")
    return { state: "succeeded", attempt: seen.type === "value" ? seen.mark.attempt : 1, deaths: 0 };
  const { name, message, code } = seen;
  return {
    state: "failed",
    attempt: 1,
    deaths: 0,
    error: { name, message, ...(code === null ? {} : { code }) },
  };
}
