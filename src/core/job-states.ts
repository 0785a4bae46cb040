/** The states of a job; one that waits for another attempt is `queued` again. The last three are final: nothing leaves them. */
export type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled";
export type FinalState = "succeeded" | "failed" | "cancelled";

/**
 * Every legal transition. Both stores are tested against this table.
 * `running → queued` is a retry, a lost worker or a lost node; `queued → failed` a job whose deaths used up its attempts.
 */
export const TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ["running", "failed", "cancelled"],
  running: ["succeeded", "failed", "cancelled", "queued"],
  succeeded: [],
  failed: [],
  cancelled: [],
};

/** Tells whether a job may go from one state to the other. */
export function canMove(from: JobState, to: JobState): boolean {
  return TRANSITIONS[from].includes(to);
}

/** Tells whether nothing can happen to the job any more. */
export function isFinal(state: JobState): state is FinalState {
  return TRANSITIONS[state].length === 0;
}
