import type { Exhausted } from "../store/port.ts";
import { errorOutcome } from "./outcomes.ts";
import type { StoreWriter } from "./store-writer.ts";

/** Fails jobs under which too many workers or nodes died. */
export function failExhausted(jobs: readonly Exhausted[], writer: StoreWriter): void {
  for (const { id, attempt, deaths, lostNode, label, pastDeaths } of jobs) {
    const message = [
      `Cannot finish ${label}: ${deaths} workers or nodes died under it, the last one with the node ${lostNode}`,
      ...pastDeaths.map((death) => `- ${death}`),
    ].join("\n");
    writer.finish({ id, attempt, next: "failed", outcome: errorOutcome("KS_WORKER_LOST", message) });
  }
}
