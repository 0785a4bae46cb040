import type { Exhausted } from "../store/port.ts";
import { errorOutcome, NOT_AGAIN } from "./outcomes.ts";
import type { StoreWriter } from "./store-writer.ts";

/** Fails jobs under which too many workers or nodes died. */
export function failExhausted(jobs: readonly Exhausted[], writer: StoreWriter): void {
  for (const job of jobs) {
    const outcome = errorOutcome("KS_WORKER_LOST", messageOf(job));
    writer.finish({ id: job.id, attempt: job.attempt, next: "failed", outcome });
  }
}

function messageOf({ deaths, isAtMostOnce, lostNode }: Exhausted): string {
  return isAtMostOnce
    ? `Cannot finish the job: the node ${lostNode} that had taken it is lost. ${NOT_AGAIN}`
    : `Cannot finish the job: ${deaths} workers or nodes died under it, the last one with the node ${lostNode}`;
}
