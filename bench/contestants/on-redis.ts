// Queues in JavaScript that have workers of their own on a Redis: `client.ts` and `worker.ts` in their folder.
import { fileURLToPath } from "node:url";
import { descendantsOf, startProgram } from "../support/processes.ts";
import { startBenchRedis } from "../support/redis.ts";
import type { Running } from "./contestant.ts";
import { startDriver } from "./driver.ts";
import { tsProgram } from "../support/programs.ts";

/** Two worker processes, which are told `setup` and the port of the Redis. */
export async function startOnRedis(folder: URL, setup: object): Promise<Running> {
  const file = (name: string): string => fileURLToPath(new URL(name, folder));
  const redis = await startBenchRedis();
  const settings = { ...setup, port: redis.port };
  const [command = "", ...args] = tsProgram(file("worker.ts"), JSON.stringify(settings));
  const startWorker = () => startProgram({ command, args, ready: /^ready$/m });
  const workers = await Promise.all([startWorker(), startWorker()]);
  const driver = await startDriver(tsProgram(file("client.ts")), settings);
  return {
    driver,
    parts: () => ({
      client: [driver.pid],
      Redis: [redis.pid],
      workers: workers.flatMap(({ pid }) => [pid, ...descendantsOf(pid)]),
    }),
    stop: async () => {
      await driver.stop();
      await Promise.all(workers.map((worker) => worker.stop()));
      await redis.stop();
    },
  };
}
