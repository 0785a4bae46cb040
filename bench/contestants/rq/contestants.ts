// RQ: two workers, each of which forks a process for each job.
import type { Contestant } from "../contestant.ts";
import { pythonContestant } from "../python.ts";

export const rq: Contestant = pythonContestant({
  name: "rq",
  title: "RQ, 2 workers",
  module: "rq",
  debian: "python3-rq python3-redis",
  folder: new URL("./", import.meta.url),
  counts: { cold: 50, warmUp: 50, oneByOne: 100, many: 300 },
  usesRedis: true,
  programs: (port) =>
    [1, 2].map(() => ({
      part: "workers" as const,
      args: ["-m", "rq.cli", "worker", "--url", `redis://127.0.0.1:${port}/0`],
      ready: /Listening on/,
    })),
});
