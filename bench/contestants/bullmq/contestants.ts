// BullMQ: many jobs at a time in each process, one at a time, and one at a time in a process of its own.
import type { Contestant } from "../contestant.ts";
import { packageVersion } from "../../support/programs.ts";
import { startOnRedis } from "../on-redis.ts";

interface Setup {
  readonly concurrency: number;
  readonly isSandboxed: boolean;
}

export const bullmq: readonly Contestant[] = [
  contestant("bullmq", "2 processes × 50", { concurrency: 50, isSandboxed: false }),
  contestant("bullmq-1", "2 processes × 1", { concurrency: 1, isSandboxed: false }),
  contestant("bullmq-sandboxed", "2 × 1, sandboxed", { concurrency: 1, isSandboxed: true }),
];

function contestant(name: string, title: string, setup: Setup): Contestant {
  return {
    name,
    title: `BullMQ, ${title}`,
    versions: () => ({ BullMQ: packageVersion("bullmq") }),
    missing: () => undefined,
    start: () => startOnRedis(new URL("./", import.meta.url), setup),
  };
}
