// How many calls go through a node in a second, and how long one takes.
import { Client } from "../src/client/client.ts";
import { startRedis } from "../test/store/support/redis.ts";
import { startBenchNode, type BenchNode } from "./support/node-process.ts";

const ROUNDS = 3;
const MANY = 20_000;
const WARM_UP = 2_000;
const ONE_BY_ONE = 3_000;

interface Way {
  readonly name: string;
  readonly flags: readonly string[];
  readonly client: { readonly async?: boolean };
}

const add = (a: number, b: number): number => a + b;

const redis = await startRedis();
const ways: readonly Way[] = [
  { name: "queued, Redis", flags: ["--no-redis", "--redis-connection", redis.address], client: {} },
  { name: "queued, embedded store", flags: ["--embedded"], client: {} },
  { name: "instant", flags: ["--embedded"], client: { async: false } },
];

try {
  const rows = [];
  for (const way of ways) {
    const node = await startBenchNode(way.flags);
    try {
      rows.push(await measure(way, node));
    } finally {
      await node.stop();
    }
  }
  console.table(rows);
} finally {
  await redis.stop();
}

async function measure({ name, client: options }: Way, node: BenchNode): Promise<object> {
  const client = new Client(node.url, { token: node.token, output: "off", ...options });
  try {
    await inParallel(client, WARM_UP);
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) rates.push(await inParallel(client, MANY));
    const times = await oneByOne(client);
    return {
      way: name,
      "calls/s": Math.round(median(rates)),
      range: `${Math.round(Math.min(...rates))} to ${Math.round(Math.max(...rates))}`,
      "p50 ms": quantile(times, 0.5).toFixed(2),
      "p99 ms": quantile(times, 0.99).toFixed(2),
      "node peak MB": Math.round(node.peakMB()),
    };
  } finally {
    await client.close();
  }
}

/** All at once, until all results are back: calls per second. */
async function inParallel(client: Client, count: number): Promise<number> {
  const begunAt = performance.now();
  const jobs = Array.from({ length: count }, (_, at) => client.call(add, at, 2));
  const sums = await Promise.all(jobs);
  const tookMs = performance.now() - begunAt;
  if (sums.some((sum, at) => sum !== at + 2)) throw new Error("A result is wrong");
  return (count / tookMs) * 1_000;
}

/** In ms, in ascending order. */
async function oneByOne(client: Client): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < WARM_UP + ONE_BY_ONE; at++) {
    const begunAt = performance.now();
    await client.call(add, 1, 2);
    if (at >= WARM_UP) times.push(performance.now() - begunAt);
  }
  return times.toSorted((a, b) => a - b);
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))]!;
}
