// What processes hold: idle, with jobs that wait, and while a client maps a function over very many items.
import { kitchensink } from "./contestants/kitchensink/contestants.ts";
import type { Contestant, Running } from "./contestants/contestant.ts";
import type { Options } from "./support/arguments.ts";
import { memoryMB } from "./support/processes.ts";
import type { BenchRedis } from "./support/redis.ts";
import type { Report } from "./support/report.ts";
import { inRounds } from "./support/rounds.ts";
import { median } from "./support/statistics.ts";
import type { Table } from "./support/table.ts";

const WORKERS = 2;
const QUEUED = 100_000;
const MAPPED = 1_000_000;
/** The shell that guards a node's workers is smaller, and no worker. */
const LEAST_WORKER_MB = 10;

/** All in MB, but for those of a job. */
interface Figures {
  readonly client: number;
  readonly node: number;
  readonly worker: number;
  /** What one job that waits adds, in bytes. */
  readonly jobOfClient: number;
  readonly jobOfNode: number;
  readonly jobOfRedis: number;
}

interface MapFigures {
  readonly seconds: number;
  readonly clientPeak: number;
  readonly nodePeak: number;
  readonly redis: number;
}

export async function measureMemory({ rounds, isQuick, only }: Options): Promise<Report> {
  const names = ["redis", "embedded"].filter((name) => only?.includes(name) ?? true);
  const measureWith =
    <T>(measure: (running: Running) => Promise<T>) =>
    (name: string) =>
      withStarted(
        kitchensink.find((way) => way.name === name)!,
        measure,
      );
  const waiting = await inRounds(
    names,
    rounds,
    measureWith((running) => measureWaiting(running, isQuick ? 500 : QUEUED)),
  );
  const mapped = isQuick ? 1_000 : MAPPED;
  const maps = await inRounds(
    names,
    1,
    measureWith((running) => measureMap(running, mapped)),
  );
  return {
    suite: "memory",
    tables: [waitingTable(waiting.figures), mapTable(maps.figures, mapped)],
    measured: { waiting: Object.fromEntries(waiting.figures), map: Object.fromEntries(maps.figures) },
    referenceMs: [...waiting.referenceMs, ...maps.referenceMs],
  };
}

async function withStarted<T>(contestant: Contestant, use: (running: Running) => Promise<T>): Promise<T> {
  const running = await contestant.start();
  try {
    return await use(running);
  } finally {
    await running.stop();
  }
}

async function measureWaiting({ driver, parts, redis }: Running, count: number): Promise<Figures> {
  await driver.many(WORKERS, "hold");
  const { client = [], node = [], workers = [] } = parts();
  const sizes = workers.map((pid) => memoryMB(pid)).filter((mb) => mb > LEAST_WORKER_MB);
  const held = async () => ({ client: sum(client), node: sum(node), redis: await bytesOf(redis) });
  const before = await held();
  await driver.many(count, "queue");
  const after = await held();
  return {
    client: before.client,
    node: before.node,
    worker: median(sizes),
    jobOfClient: ((after.client - before.client) * 1e6) / count,
    jobOfNode: ((after.node - before.node) * 1e6) / count,
    jobOfRedis: (after.redis - before.redis) / count,
  };
}

async function measureMap({ driver, parts, redis }: Running, count: number): Promise<MapFigures> {
  const ms = await driver.many(count, "map");
  const { client = [], node = [] } = parts();
  return {
    seconds: ms / 1_000,
    clientPeak: memoryMB(client[0]!, "peak"),
    nodePeak: memoryMB(node[0]!, "peak"),
    redis: (await bytesOf(redis)) / 1e6,
  };
}

async function bytesOf(redis: BenchRedis | undefined): Promise<number> {
  return (await redis?.usedBytes()) ?? Number.NaN;
}

function sum(pids: readonly number[]): number {
  return pids.reduce((mb, pid) => mb + memoryMB(pid), 0);
}

function waitingTable(figures: ReadonlyMap<string, readonly Figures[]>): Table {
  const middle = (all: readonly Figures[], key: keyof Figures): number => median(all.map((one) => one[key]));
  return {
    name: "memory",
    columns: ["", "client MB", "node MB", "a worker MB", "a waiting job: client B", "node B", "Redis B"],
    rows: [...figures].map(([name, all]) => [
      titleOf(name),
      ...(["client", "node", "worker", "jobOfClient", "jobOfNode", "jobOfRedis"] as const).map((key) =>
        middle(all, key),
      ),
    ]),
  };
}

function mapTable(figures: ReadonlyMap<string, readonly MapFigures[]>, count: number): Table {
  return {
    name: "memory: map",
    columns: [
      `map over ${count.toLocaleString("en-US")} items`,
      "s",
      "client, peak MB",
      "node, peak MB",
      "Redis MB",
    ],
    rows: [...figures].flatMap(([name, all]) =>
      all.map(({ seconds, clientPeak, nodePeak, redis }) => [
        titleOf(name),
        seconds,
        clientPeak,
        nodePeak,
        redis,
      ]),
    ),
  };
}

function titleOf(name: string): string {
  return kitchensink.find((way) => way.name === name)!.title.replace(/^.*: /, "");
}
