// What it costs a Redis to hand out jobs as nodes become many: the real scripts on a real Redis, and simulated nodes.
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { parseDataUrl } from "../src/core/data-url.ts";
import { parseJobId, parseNodeName, type NodeName } from "../src/core/ids.ts";
import { place } from "../src/core/placement.ts";
import type { NewJob, Store } from "../src/store/port.ts";
import { parseRedisAddress } from "../src/store/redis/address.ts";
import { openRedisStore } from "../src/store/redis/store.ts";
import { startRedis } from "../test/store/support/redis.ts";
import type { Options } from "./support/arguments.ts";
import type { LineChart } from "./support/charts.ts";
import type { Report } from "./support/report.ts";
import { median, quantile } from "./support/statistics.ts";
import type { Table } from "./support/table.ts";

const NODE_COUNTS = [1, 10, 100, 300, 1_000];
const JOBS = 5_000;
const BATCH = 100;
/** How many nodes have the data of a job. */
const HOLDERS = 3;
const MB = 1_000_000;

interface Cost {
  /** Of Redis, in µs for each job, by the time that its scripts took. */
  readonly submitUs: number;
  readonly claimUs: number;
  readonly finishUs: number;
  /** Of one claim from its call to its answer, in µs. */
  readonly claimP50Us: number;
  readonly claimP99Us: number;
}

type Kind = "plain" | "data";

interface Row {
  readonly nodes: number;
  readonly kind: Kind;
  readonly cost: Cost;
}

const PARTS = ["submitUs", "claimUs", "finishUs", "claimP50Us", "claimP99Us"] as const;
const spec = Buffer.alloc(190, 7);

export async function measureScale({ rounds, isQuick }: Options): Promise<Report> {
  const redis = await startRedis();
  try {
    const measured: Row[] = [];
    for (const nodes of isQuick ? NODE_COUNTS.slice(0, 2) : NODE_COUNTS)
      for (const kind of ["plain", "data"] as const) {
        const costs: Cost[] = [];
        for (let round = 0; round < rounds; round++)
          costs.push(await measure(redis.address, { nodeCount: nodes, kind, count: isQuick ? BATCH : JOBS }));
        measured.push({ nodes, kind, cost: medianOf(costs) });
      }
    return { suite: "scale", tables: [tableOf(measured)], lines: [chartOf(measured)], measured };
  } finally {
    await redis.stop();
  }
}

function tableOf(measured: readonly Row[]): Table {
  const costs = ["submit", "claim", "finish"].map((part) => `${part}, µs a job`);
  return {
    name: "scale",
    columns: ["nodes", "jobs", ...costs, "a claim, p50 µs", "a claim, p99 µs"],
    rows: measured.map(({ nodes, kind, cost }) => [
      nodes,
      kind === "plain" ? "without data" : nodes === 1 ? "data on the node" : `data on ${HOLDERS} nodes`,
      ...PARTS.map((part) => cost[part]),
    ]),
  };
}

function chartOf(measured: readonly Row[]): LineChart {
  return {
    file: "scale",
    title: "What Redis spends on a job as nodes become many",
    x: "nodes",
    y: "µs of Redis for each job",
    isLogX: true,
    lines: (["plain", "data"] as const).flatMap((kind) =>
      (["submitUs", "claimUs", "finishUs"] as const).map((part) => ({
        name: `${part.slice(0, -2)}, ${kind === "plain" ? "no data" : `data on ${HOLDERS} nodes`}`,
        points: measured
          .filter((row) => row.kind === kind)
          .map(({ nodes, cost }) => [nodes, Number(cost[part].toFixed(2))] as const),
      })),
    ),
  };
}

interface Workload {
  readonly nodeCount: number;
  readonly kind: Kind;
  readonly count: number;
}

async function measure(url: string, { nodeCount, kind, count }: Workload): Promise<Cost> {
  const address = parseRedisAddress(url);
  const options = {
    resultTtlMs: 60_000,
    unitTtlMs: 60_000,
    outputLimitBytes: 1_000_000,
    queueLimit: 1_000_000,
  };
  const store = await openRedisStore({ ...options, cluster: randomUUID(), address });
  const raw = new Redis({ host: address.host!, port: address.port!, db: address.db });
  try {
    const nodes = Array.from({ length: nodeCount }, (_, at) => parseNodeName(`node${at}`));
    for (const name of nodes) await register(store, name);

    const submitUs = await redisTime(raw, async () => {
      for (let from = 0; from < count; from += BATCH) {
        const jobs = Array.from({ length: BATCH }, (_, at) => newJob(kind, nodes, from + at));
        await store.submit({ watcher: nodes[0]!, jobs, units: new Map(), needs: [] });
      }
    });
    // Every head start has passed by now: all that costs something is there to be looked at.
    await new Promise((resolve) => setTimeout(resolve, 100));

    const taken = new Map<NodeName, { id: NewJob["id"]; attempt: number }[]>();
    const times: number[] = [];
    const claimUs = await redisTime(raw, async () => {
      for (let left = count, turn = 0; left > 0; turn++) {
        const node = nodes[(turn * 7) % nodeCount]!;
        const begunAt = performance.now();
        const reply = await store.claim({ node, queues: ["default"], count: 2, takesData: true });
        times.push((performance.now() - begunAt) * 1_000);
        if (reply.type !== "claimed") throw new Error("The lease has lapsed");
        left -= reply.jobs.length;
        taken.set(node, [...(taken.get(node) ?? []), ...reply.jobs]);
      }
    });
    const finishUs = await redisTime(raw, async () => {
      for (const [node, jobs] of taken)
        await store.finish(
          node,
          jobs.map(({ id, attempt }) => ({ id, attempt, next: "succeeded", outcome: spec.subarray(0, 20) })),
        );
    });
    return {
      submitUs: submitUs / count,
      claimUs: claimUs / count,
      finishUs: finishUs / count,
      claimP50Us: quantile(times, 0.5),
      claimP99Us: quantile(times, 0.99),
    };
  } finally {
    await raw.flushdb();
    raw.disconnect();
    await store.close();
  }
}

async function register(store: Store, name: NodeName): Promise<void> {
  const terms = { token: "none", protocol: 0 };
  await store.register({ name, incarnation: name, leaseMs: 600_000, facts: "{}", terms });
}

function newJob(kind: Kind, nodes: readonly NodeName[], at: number): NewJob {
  const job = { id: parseJobId(randomUUID()), queue: "default", priority: 0, label: "bench", spec };
  if (kind === "plain") return job;
  const holders = Array.from(
    { length: Math.min(HOLDERS, nodes.length) },
    (_, h) => nodes[(at * 13 + h) % nodes.length]!,
  );
  const url = parseDataUrl(`data/${at}`);
  const placement = place({
    queue: "default",
    inputs: [{ url, size: MB, holders }],
    nodes: nodes.map((name) => ({ name, queues: ["default"], takesData: true })),
    thresholdBytes: 200 * MB,
  });
  if (placement.type !== "offered") return { ...job, inputs: [url] };
  const { offers, othersDelayMs } = placement;
  return { ...job, inputs: [url], placement: "{}", offers: { nodes: offers, othersDelayMs } };
}

/** What the scripts of `work` took in Redis, in µs. */
async function redisTime(raw: Redis, work: () => Promise<void>): Promise<number> {
  const before = await scriptTime(raw);
  await work();
  return (await scriptTime(raw)) - before;
}

async function scriptTime(raw: Redis): Promise<number> {
  const stats = await raw.info("commandstats");
  return ["evalsha", "eval"].reduce(
    (sum, name) => sum + Number(new RegExp(`cmdstat_${name}:calls=\\d+,usec=(\\d+)`).exec(stats)?.[1] ?? 0),
    0,
  );
}

function medianOf(rounds: readonly Cost[]): Cost {
  const middle = (key: keyof Cost): number => median(rounds.map((round) => round[key]));
  return {
    submitUs: middle("submitUs"),
    claimUs: middle("claimUs"),
    finishUs: middle("finishUs"),
    claimP50Us: middle("claimP50Us"),
    claimP99Us: middle("claimP99Us"),
  };
}
