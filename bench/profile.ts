// What a call costs each process, part by part: CPU profiles of the client, the node and a worker.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "kitchensink";
import { tsProgram } from "./support/programs.ts";
import { startDriver } from "./contestants/driver.ts";
import { costs, type CpuProfile } from "./profile/costs.ts";
import { profiled, type Profiled } from "./profile/workers.ts";
import type { Options } from "./support/arguments.ts";
import { startBenchNode } from "./support/node-process.ts";
import { cpuMs, descendantsOf, mainThreadCpuMs } from "./support/processes.ts";
import { startBenchRedis } from "./support/redis.ts";
import type { Report } from "./support/report.ts";
import { inRounds } from "./support/rounds.ts";
import { median } from "./support/statistics.ts";
import type { Table } from "./support/table.ts";

const CALLS = 20_000;
const REPEATS = 5;
const QUICK_CALLS = 20;
const INTERVAL_US = 500;
/** What is less than this is not listed by itself. */
const LEAST_US = 0.4;
const DRIVER = fileURLToPath(new URL("contestants/kitchensink/client.ts", import.meta.url));

/** µs of each part of a process for a call. */
type Costs = ReadonlyMap<string, number>;
type Round = Readonly<Record<"client" | "node" | "workers", Costs>> & { readonly redisUs: number };

export async function measureProfile({ rounds, isQuick }: Options): Promise<Report> {
  const calls = isQuick ? QUICK_CALLS : CALLS;
  const { figures, referenceMs } = await inRounds(["redis"], rounds, () => measure(calls));
  const all = figures.get("redis")!;
  return {
    suite: "profile",
    tables: [
      tableOf(
        "profile: client",
        all.map(({ client }) => client),
      ),
      tableOf(
        "profile: node",
        all.map(({ node }) => node),
      ),
      tableOf(
        "profile: worker",
        all.map(({ workers }) => workers),
      ),
    ],
    measured: all.map(({ client, node, workers, redisUs }) => ({
      client: Object.fromEntries(client),
      node: Object.fromEntries(node),
      workers: Object.fromEntries(workers),
      redisUs,
    })),
    referenceMs,
  };
}

/** Once without profiles, for what is spent, and once with them, for what it is spent on: a profiler takes time itself. */
async function measure(calls: number): Promise<Round> {
  const { spent } = await run(calls, async (work) => await work());
  const shares = await profile(calls);
  return {
    client: inParts(shares.client, spent.client),
    node: inParts(shares.node, spent.node),
    workers: inParts(shares.workers, spent.workers),
    redisUs: spent.redis.allUs,
  };
}

interface Spent {
  readonly allUs: number;
  /** By the thread that is profiled. */
  readonly mainUs: number;
}

type Parts<T> = Readonly<Record<"client" | "node" | "workers", T>>;

interface Ran<T> {
  /** For each call. */
  readonly spent: Parts<Spent> & { readonly redis: Spent };
  readonly pids: { readonly client: number; readonly node: number };
  readonly result: T;
}

/** All processes fresh, warmed up, and given the work, which `around` calls. */
async function run<T>(
  calls: number,
  around: (work: () => Promise<void>, observer: Client) => Promise<T>,
  nodeFlags: readonly string[] = [],
): Promise<Ran<T>> {
  const redis = await startBenchRedis();
  const address = `tcp://127.0.0.1:${redis.port}?db=9`;
  const node = await startBenchNode(["--no-redis", "--redis-connection", address], { nodeFlags });
  const { url, token } = node;
  const [program = "", ...args] = tsProgram(DRIVER);
  const driver = await startDriver([program, ...nodeFlags, ...args], { url, token });
  const observer = new Client(url, { token, output: "off" });
  try {
    await driver.many(calls);
    const pids = { client: driver.pid, node: node.pid };
    const used = (): Parts<Spent> & { redis: Spent } => ({
      client: usedBy(driver.pid),
      node: usedBy(node.pid),
      workers: { allUs: cpuMs(descendantsOf(node.pid)) * 1_000, mainUs: Number.NaN },
      redis: usedBy(redis.pid),
    });
    const before = used();
    const result = await around(async () => {
      for (let done = 0; done < REPEATS; done++) await driver.many(calls);
    }, observer);
    const after = used();
    const each = (part: keyof typeof after): Spent => ({
      allUs: (after[part].allUs - before[part].allUs) / (calls * REPEATS),
      mainUs: (after[part].mainUs - before[part].mainUs) / (calls * REPEATS),
    });
    const workers = each("workers");
    return {
      spent: {
        client: each("client"),
        node: each("node"),
        workers: { ...workers, mainUs: workers.allUs },
        redis: each("redis"),
      },
      pids,
      result,
    };
  } finally {
    await observer.close();
    // A process writes its profile when it ends.
    await driver.stop();
    await node.stop();
    await redis.stop();
  }
}

function usedBy(pid: number): Spent {
  return { allUs: cpuMs([pid]) * 1_000, mainUs: mainThreadCpuMs(pid) * 1_000 };
}

/** The share of each part in what the main thread of each process does. */
async function profile(calls: number): Promise<Parts<Costs>> {
  const directory = mkdtempSync(join(tmpdir(), "kitchensink-profile-"));
  const nodeFlags = ["--cpu-prof", `--cpu-prof-interval=${INTERVAL_US}`, `--cpu-prof-dir=${directory}`];
  try {
    const around = (work: () => Promise<void>, observer: Client): Promise<Profiled> =>
      profiled(observer, { workers: 2, intervalUs: INTERVAL_US }, work);
    const { pids, result } = await run(calls, around, nodeFlags);
    const { window, workers } = result;
    return {
      client: costs([profileOf(directory, pids.client)], window),
      node: costs([profileOf(directory, pids.node)], window),
      workers: costs(workers, window),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function inParts(shares: Costs, { allUs, mainUs }: Spent): Costs {
  const parts = new Map([...shares].map(([part, share]) => [part, share * mainUs]));
  if (allUs > mainUs) parts.set("other threads: garbage collection, compiling", allUs - mainUs);
  return parts;
}

function profileOf(directory: string, pid: number): CpuProfile {
  const name = readdirSync(directory).find((file) => file.includes(`.${pid}.0.`));
  if (name === undefined) throw new Error(`The process ${pid} left no profile`);
  return JSON.parse(readFileSync(join(directory, name), "utf8")) as CpuProfile;
}

function tableOf(name: string, rounds: readonly Costs[]): Table {
  const parts = [...new Set(rounds.flatMap((round) => [...round.keys()]))];
  const rows = parts
    .map((part) => [part, median(rounds.map((round) => round.get(part) ?? 0))] as const)
    .toSorted(([, a], [, b]) => b - a);
  const small = rows.filter(([, us]) => us < LEAST_US).reduce((sum, [, us]) => sum + us, 0);
  const all = rows.reduce((sum, [, us]) => sum + us, 0);
  return {
    name,
    columns: [name.replace("profile: ", ""), "µs a call"],
    rows: [...rows.filter(([, us]) => us >= LEAST_US), ["less than 0.4 µs each", small], ["all", all]],
  };
}
