import type { Exhausted } from "../../store/port.ts";
import { deathLines, NOT_AGAIN } from "./death.ts";
import { errorOutcome } from "./outcomes.ts";
import type { StoreWriter } from "./store-writer.ts";

/** Fails jobs under which too many workers or nodes died. */
export function failExhausted(jobs: readonly Exhausted[], writer: StoreWriter): void {
  for (const job of jobs) {
    const outcome = errorOutcome("KS_WORKER_LOST", messageOf(job));
    writer.finish({ id: job.id, attempt: job.attempt, next: "failed", outcome });
  }
}

function messageOf({ deaths, isAtMostOnce, lostNode, label, pastDeaths }: Exhausted): string {
  if (isAtMostOnce)
    return `Cannot finish ${label}: the node ${lostNode} that had taken it is lost. ${NOT_AGAIN}`;
  return [
    `Cannot finish ${label}: ${deaths} workers or nodes died under it, the last one with the node ${lostNode}`,
    ...deathLines(pastDeaths),
  ].join("\n");
}
