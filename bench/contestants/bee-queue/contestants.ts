// bee-queue: two processes that run 50 jobs at a time each.
import type { Contestant } from "../contestant.ts";
import { packageVersion } from "../../support/programs.ts";
import { startOnRedis } from "../on-redis.ts";

export const beeQueue: Contestant = {
  name: "bee-queue",
  title: "bee-queue, 2 processes × 50",
  versions: () => ({ "bee-queue": packageVersion("bee-queue") }),
  missing: () => undefined,
  start: () => startOnRedis(new URL("./", import.meta.url), { concurrency: 50 }),
};
