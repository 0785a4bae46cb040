// This project: four ways of a call. Two workers each, whichever pool they are in.
import { fileURLToPath } from "node:url";
import { descendantsOf } from "../../support/processes.ts";
import { startBenchNode } from "../../support/node-process.ts";
import { startBenchRedis, type BenchRedis } from "../../support/redis.ts";
import { FULL, type Contestant, type Running } from "../contestant.ts";
import { startDriver } from "../driver.ts";
import { tsProgram } from "../../support/programs.ts";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Way {
  readonly flags: (redis: BenchRedis | undefined) => readonly string[];
  readonly usesRedis?: boolean;
  readonly program?: string;
  readonly settings?: object;
}

const embedded = (): readonly string[] => ["--embedded"];
const instant = (): readonly string[] => ["--embedded", "--num-workers", "1", "--instant-workers", "2"];

export const kitchensink: readonly Contestant[] = [
  contestant("redis", "queued, Redis", {
    usesRedis: true,
    flags: (redis) => ["--no-redis", "--redis-connection", `tcp://127.0.0.1:${redis!.port}?db=9`],
  }),
  contestant("embedded", "queued, embedded store", { flags: embedded }),
  contestant("instant", "instant", { flags: instant, settings: { async: false } }),
  contestant("http", "POST /rpc, 50 connections", {
    flags: () => [...instant(), "--module", file("functions.ts")],
    program: "http-client.ts",
  }),
];

function contestant(name: string, title: string, way: Way): Contestant {
  return {
    name,
    title: `Kitchen Sink: ${title}`,
    versions: () => ({}),
    missing: () => undefined,
    counts: { ...FULL, veryMany: 100_000 },
    start: () => start(way),
  };
}

async function start({ flags, usesRedis = false, program = "client.ts", settings }: Way): Promise<Running> {
  const redis = usesRedis ? await startBenchRedis() : undefined;
  const node = await startBenchNode(flags(redis));
  const { url, token, pid } = node;
  const driver = await startDriver(tsProgram(file(program)), { url, token, ...settings });
  return {
    driver,
    redis,
    parts: () => ({
      client: [driver.pid],
      node: [pid],
      ...(redis === undefined ? {} : { Redis: [redis.pid] }),
      workers: descendantsOf(pid),
    }),
    stop: async () => {
      await driver.stop();
      await node.stop();
      await redis?.stop();
    },
  };
}
