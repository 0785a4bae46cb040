// One client and one Redis, and from one to four nodes with two workers each.
import { fileURLToPath } from "node:url";
import { startDriver, type Driver } from "../contestants/driver.ts";
import { tsProgram } from "../support/programs.ts";
import type { Options } from "../support/arguments.ts";
import type { LineChart } from "../support/charts.ts";
import { startBenchNode, type BenchNode } from "../support/node-process.ts";
import { startBenchRedis } from "../support/redis.ts";
import { median, ratios } from "../support/statistics.ts";
import { figure, medianAndRange, type Table } from "../support/table.ts";

const MOST_NODES = 4;
const CLIENT = fileURLToPath(new URL("../contestants/kitchensink/client.ts", import.meta.url));

/** A function that waits shows the cluster; one that does nothing shows the machine's cores, which all nodes share. */
const WORKS = [
  { work: "5 ms", title: "waits 5 ms", many: 2_000 },
  { work: "add", title: "add(1, 2)", many: 10_000 },
] as const;
const QUICK_MANY = 10;

type Work = (typeof WORKS)[number]["work"];

/** Calls a second, of each work, round by round. */
interface Figures {
  readonly nodes: number;
  readonly rates: Readonly<Record<Work, readonly number[]>>;
}

export async function measureNodes({ rounds, isQuick }: Options): Promise<{
  table: Table;
  charts: readonly LineChart[];
  measured: readonly Figures[];
}> {
  const measured: Figures[] = [];
  const redis = await startBenchRedis();
  const started: BenchNode[] = [];
  try {
    while (started.length < (isQuick ? 2 : MOST_NODES)) {
      started.push(await startNode(redis.port, started.length + 1));
      const rates = await measure(started[0]!, { rounds, isQuick });
      measured.push({ nodes: started.length, rates });
    }
  } finally {
    await Promise.all(started.map((node) => node.stop()));
    await redis.stop();
  }
  return { table: tableOf(measured), charts: [chartOf(measured)], measured };
}

async function startNode(port: number, number: number): Promise<BenchNode> {
  const redis = ["--no-redis", "--redis-connection", `tcp://127.0.0.1:${port}?db=9`];
  return await startBenchNode([...redis, "--node-name", `n${number}`]);
}

async function measure(
  { url, token }: BenchNode,
  { rounds, isQuick }: Pick<Options, "rounds" | "isQuick">,
): Promise<Figures["rates"]> {
  const driver = await startDriver(tsProgram(CLIENT), { url, token });
  const rates: Record<Work, number[]> = { "5 ms": [], add: [] };
  try {
    // Workers of all nodes have to compile the function before anything is counted.
    for (const { work } of WORKS) await rateOf(driver, work, isQuick ? QUICK_MANY : 1_000);
    for (let round = 0; round < rounds; round++)
      for (const { work, many } of WORKS)
        rates[work].push(await rateOf(driver, work, isQuick ? QUICK_MANY : many));
  } finally {
    await driver.stop();
  }
  return rates;
}

async function rateOf(driver: Driver, work: Work, count: number): Promise<number> {
  return (count / (await driver.many(count, work))) * 1_000;
}

function tableOf(measured: readonly Figures[]): Table {
  const beside = (work: Work, rates: readonly number[]): string =>
    `${figure(median(ratios(rates, measured[0]!.rates[work])))} ×`;
  return {
    name: "growth: nodes",
    columns: ["nodes", ...WORKS.flatMap(({ title }) => [`${title}, calls/s`, "beside one node"])],
    rows: measured.map(({ nodes, rates }) => [
      nodes,
      ...WORKS.flatMap(({ work }) => [medianAndRange(rates[work]), beside(work, rates[work])]),
    ]),
  };
}

function chartOf(measured: readonly Figures[]): LineChart {
  const first = median(measured[0]!.rates["5 ms"]);
  return {
    file: "growth-nodes",
    title: "Calls of a function that waits 5 ms, with two workers on each node",
    x: "nodes",
    y: "calls/s",
    lines: [
      {
        name: "measured",
        points: measured.map(({ nodes, rates }) => [nodes, Math.round(median(rates["5 ms"]))]),
      },
      {
        name: "as many times one node",
        points: measured.map(({ nodes }) => [nodes, Math.round(nodes * first)]),
      },
    ],
  };
}
