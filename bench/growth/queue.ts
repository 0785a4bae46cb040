// From a thousand to a million jobs that wait: what Redis and a node hold for each, and what a claim takes.
import { randomUUID } from "node:crypto";
import { parseJobId, parseNodeName } from "../../src/core/ids.ts";
import { termsOf } from "../../src/node/options.ts";
import type { ClaimedJob, NewJob, Store } from "../../src/store/port.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openRedisStore } from "../../src/store/redis/store.ts";
import type { Options } from "../support/arguments.ts";
import type { LineChart } from "../support/charts.ts";
import { startBenchNode } from "../support/node-process.ts";
import { memoryMB } from "../support/processes.ts";
import { startBenchRedis, type BenchRedis } from "../support/redis.ts";
import { quantile } from "../support/statistics.ts";
import type { Table } from "../support/table.ts";

const COUNTS = [1_000, 10_000, 100_000, 1_000_000];
const BATCH = 500;
const CLAIMS = 400;
const JOBS_A_CLAIM = 2;
const CLAIMED = CLAIMS * JOBS_A_CLAIM;
/** As large as that of `add(1, 2)`. */
const SPEC = Buffer.alloc(190, 7);
const STORE = {
  cluster: "default",
  resultTtlMs: 60_000,
  unitTtlMs: 60_000,
  outputLimitBytes: 1_000_000,
  queueLimit: 1_000_000,
};
const QUICK_COUNTS = [1_000, 2_000];
/** The node serves another queue: what it holds for jobs of others is what all nodes hold. */
const QUEUE = "waiting";
const CLAIMER = parseNodeName("claimer");

interface Figures {
  readonly jobs: number;
  readonly redisBytesAJob: number;
  readonly nodeMB: number;
  readonly claimP50Us: number;
  readonly claimP99Us: number;
  /** Of Redis, for one claim. */
  readonly claimRedisUs: number;
}

export async function measureQueue({ isQuick }: Options): Promise<{
  table: Table;
  charts: readonly LineChart[];
  measured: readonly Figures[];
}> {
  const redis = await startBenchRedis();
  const url = `tcp://127.0.0.1:${redis.port}?db=9`;
  const node = await startBenchNode(["--no-redis", "--redis-connection", url]);
  const store = await openRedisStore({ ...STORE, address: parseRedisAddress(url) });
  try {
    const registration = { name: CLAIMER, incarnation: CLAIMER, leaseMs: 3_600_000, facts: "{}" };
    await store.register({ ...registration, terms: termsOf(node) });
    // The first claims of a process are slow, however many jobs there are.
    await submit(store, CLAIMED);
    await claim(store, redis);
    const measured: Figures[] = [];
    for (const [at, jobs] of (isQuick ? QUICK_COUNTS : COUNTS).entries()) {
      // What was claimed for the last figures is gone.
      const more = at === 0 ? jobs : jobs - measured[at - 1]!.jobs + CLAIMED;
      const before = await redis.usedBytes();
      await submit(store, more);
      const redisBytesAJob = ((await redis.usedBytes()) - before) / more;
      measured.push({ jobs, redisBytesAJob, nodeMB: memoryMB(node.pid), ...(await claim(store, redis)) });
    }
    return { table: tableOf(measured), charts: [memoryChart(measured), claimChart(measured)], measured };
  } finally {
    await store.close();
    await node.stop();
    await redis.stop();
  }
}

async function submit(store: Store, count: number): Promise<void> {
  for (let left = count; left > 0; left -= BATCH) {
    const jobs = Array.from({ length: Math.min(left, BATCH) }, newJob);
    await store.submit({ watcher: CLAIMER, jobs, units: new Map(), needs: [] });
  }
}

function newJob(): NewJob {
  return { id: parseJobId(randomUUID()), queue: QUEUE, priority: 0, label: "bench", spec: SPEC };
}

async function claim(
  store: Store,
  redis: BenchRedis,
): Promise<Pick<Figures, "claimP50Us" | "claimP99Us" | "claimRedisUs">> {
  const times: number[] = [];
  const before = await redis.scriptsUs();
  const taken: ClaimedJob[] = [];
  for (let done = 0; done < CLAIMS; done++) {
    const begunAt = performance.now();
    const reply = await store.claim({
      node: CLAIMER,
      queues: [QUEUE],
      count: JOBS_A_CLAIM,
      takesData: false,
    });
    times.push((performance.now() - begunAt) * 1_000);
    if (reply.type === "claimed") taken.push(...reply.jobs);
  }
  const claimRedisUs = ((await redis.scriptsUs()) - before) / CLAIMS;
  if (taken.length !== CLAIMED) throw new Error(`Only ${taken.length} jobs could be claimed`);
  await finish(store, taken);
  return { claimP50Us: quantile(times, 0.5), claimP99Us: quantile(times, 0.99), claimRedisUs };
}

async function finish(store: Store, jobs: readonly ClaimedJob[]): Promise<void> {
  const outcome = SPEC.subarray(0, 20);
  await store.finish(
    CLAIMER,
    jobs.map(({ id, attempt }) => ({ id, attempt, next: "succeeded", outcome })),
  );
}

function tableOf(measured: readonly Figures[]): Table {
  return {
    name: "growth: queue",
    columns: ["jobs that wait", "Redis, B a job", "node MB", "a claim, p50 µs", "p99 µs", "of Redis, µs"],
    rows: measured.map(({ jobs, redisBytesAJob, nodeMB, claimP50Us, claimP99Us, claimRedisUs }) => [
      jobs,
      redisBytesAJob,
      nodeMB,
      claimP50Us,
      claimP99Us,
      claimRedisUs,
    ]),
  };
}

function memoryChart(measured: readonly Figures[]): LineChart {
  return {
    file: "growth-memory",
    title: "What Redis holds for each job that waits, and a node for all of them",
    x: "jobs that wait",
    y: "bytes a job; MB",
    isLogX: true,
    lines: [
      {
        name: "Redis, bytes a job",
        points: measured.map((one) => [one.jobs, Math.round(one.redisBytesAJob)]),
      },
      { name: "a node, MB in all", points: measured.map((one) => [one.jobs, Math.round(one.nodeMB)]) },
    ],
  };
}

function claimChart(measured: readonly Figures[]): LineChart {
  return {
    file: "growth-claims",
    title: `How long it takes to claim ${JOBS_A_CLAIM} jobs`,
    x: "jobs that wait",
    y: "µs",
    isLogX: true,
    lines: [
      { name: "a claim, p50", points: measured.map((one) => [one.jobs, Math.round(one.claimP50Us)]) },
      { name: "of it in Redis", points: measured.map((one) => [one.jobs, Math.round(one.claimRedisUs)]) },
    ],
  };
}
