// Celery: a worker with two processes, Redis as broker and for results.
import type { Contestant } from "../contestant.ts";
import { pythonContestant } from "../python.ts";

const QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat"];

export const celery: Contestant = pythonContestant({
  name: "celery",
  title: "Celery, prefork 2",
  module: "celery",
  debian: "python3-celery python3-redis",
  folder: new URL("./", import.meta.url),
  counts: { cold: 100, warmUp: 500, oneByOne: 500, many: 2_000 },
  usesRedis: true,
  programs: () => [
    {
      part: "workers",
      args: [
        "-m",
        "celery",
        "--app",
        "tasks",
        "worker",
        "--concurrency",
        "2",
        "--loglevel",
        "info",
        ...QUIET,
      ],
      ready: /ready\./,
    },
  ],
});
