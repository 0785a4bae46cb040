// How long it takes until something can be used: a node, a worker, a client.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseNodeName } from "../src/core/ids.ts";
import { workerEnvironment } from "../src/worker/environment.ts";
import { OomKills } from "../src/worker/oom-kills.ts";
import { OrphanGuard } from "../src/worker/orphan-guard.ts";
import { WorkerProcess } from "../src/worker/worker-process.ts";
import type { Options } from "./support/arguments.ts";
import type { BarChart } from "./support/charts.ts";
import { startBenchNode, type BenchNode } from "./support/node-process.ts";
import { memoryMB } from "./support/processes.ts";
import { startBenchRedis } from "./support/redis.ts";
import type { Report } from "./support/report.ts";
import { inRounds } from "./support/rounds.ts";
import { median } from "./support/statistics.ts";
import { medianAndRange, type Table } from "./support/table.ts";

/** In each round. */
const TIMES = 5;
const ROOT = fileURLToPath(new URL("../", import.meta.url));
const ONE_CALL = fileURLToPath(new URL("support/one-call.mjs", import.meta.url));
/** Prints how long an import took, in ms. */
const IMPORT = `
const begunAt = performance.now();
await import("kitchensink");
console.log(performance.now() - begunAt);
`;

interface Figures {
  readonly ms: number;
  /** Of the process that started, when it was ready. */
  readonly memoryMB?: number;
}

export async function measureStart({ rounds, isQuick }: Options): Promise<Report> {
  const redis = await startBenchRedis();
  const node = await startBenchNode(["--embedded"]);
  const kinds = kindsOf(`tcp://127.0.0.1:${redis.port}?db=9`, node);
  try {
    const { figures, referenceMs } = await inRounds(Object.keys(kinds), rounds, (name) =>
      repeated(kinds[name]!, isQuick ? 1 : TIMES),
    );
    return {
      suite: "start",
      tables: [tableOf(figures)],
      bars: [chartOf(figures)],
      measured: Object.fromEntries(figures),
      referenceMs,
    };
  } finally {
    await node.stop();
    await redis.stop();
  }
}

/** What starts, by what the table says of it. */
function kindsOf(redis: string, node: BenchNode): Record<string, () => Figures | Promise<Figures>> {
  const withRedis = ["--no-redis", "--redis-connection", redis];
  return {
    "Node alone: an empty program, to its end": () => whole(["-e", ""]),
    "kitchensink start, embedded store, until it is ready": () => nodeReady(["--embedded"]),
    "kitchensink start, a Redis that runs, until it is ready": () => nodeReady(withRedis),
    "a worker, until it is ready": workerReady,
    'import("kitchensink")': () => ({ ms: Number(run(["--input-type=module", "-e", IMPORT])) }),
    "a script that makes one call, to its end": () => whole([ONE_CALL, node.url, node.token]),
  };
}

/** The medians. */
async function repeated(measure: () => Figures | Promise<Figures>, times: number): Promise<Figures> {
  const all: Figures[] = [];
  for (let done = 0; done < times; done++) all.push(await measure());
  const sizes = all.flatMap((one) => one.memoryMB ?? []);
  return {
    ms: median(all.map(({ ms }) => ms)),
    ...(sizes.length === 0 ? {} : { memoryMB: median(sizes) }),
  };
}

async function nodeReady(flags: readonly string[]): Promise<Figures> {
  const node = await startBenchNode(flags);
  const figures = { ms: node.readyMs, memoryMB: memoryMB(node.pid) };
  await node.stop();
  return figures;
}

async function workerReady(): Promise<Figures> {
  const guard = new OrphanGuard();
  const begunAt = performance.now();
  const worker = new WorkerProcess({
    slot: 1,
    settings: {
      node: { name: parseNodeName("bench"), url: "http://localhost/" },
      access: { url: "http://localhost/", token: null, takesData: false },
      modules: [],
      inlineResultBytes: 1_000_000,
      keepsResults: true,
      isArbitraryBanned: false,
    },
    environment: workerEnvironment(process.env, []),
    memoryBytes: undefined,
    guard,
    oomKills: new OomKills(),
    maxFrameBytes: 1_000_000,
    onStrayOutput: () => {},
  });
  await worker.ready;
  const figures = { ms: performance.now() - begunAt, memoryMB: memoryMB(worker.pid!) };
  worker.closeWhenIdle();
  await worker.exited;
  await guard.close();
  return figures;
}

/** From its spawn to its end. */
function whole(args: readonly string[]): Figures {
  const begunAt = performance.now();
  run(args);
  return { ms: performance.now() - begunAt };
}

function run(args: readonly string[]): string {
  return execFileSync(process.execPath, [...args], { cwd: ROOT, encoding: "utf8" });
}

function tableOf(figures: ReadonlyMap<string, readonly Figures[]>): Table {
  return {
    name: "start",
    columns: ["what", "ms", "memory then, MB"],
    rows: [...figures].map(([what, rounds]) => {
      const sizes = rounds.flatMap((one) => one.memoryMB ?? []);
      return [what, medianAndRange(rounds.map(({ ms }) => ms)), sizes.length === 0 ? "" : median(sizes)];
    }),
  };
}

function chartOf(figures: ReadonlyMap<string, readonly Figures[]>): BarChart {
  const values = [...figures.values()].map((rounds) => Math.round(median(rounds.map(({ ms }) => ms))));
  return {
    file: "start",
    title: "How long it takes to start",
    x: "ms",
    rows: [...figures.keys()].map((what) => what.replace(/, (until|to).*/, "")),
    series: [{ name: "ms", values }],
  };
}
