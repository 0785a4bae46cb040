// How many calls of add(1, 2) a client gets done in a second, how long one takes, and what they cost each process.
import {
  FULL,
  QUICK,
  type Contestant,
  type Counts,
  type Part,
  type Running,
} from "./contestants/contestant.ts";
import { CONTESTANTS } from "./contestants/list.ts";
import { callsCharts, callsTables, type Figures } from "./calls/report.ts";
import type { Options } from "./support/arguments.ts";
import { cpuMs } from "./support/processes.ts";
import type { Report } from "./support/report.ts";
import { inRounds } from "./support/rounds.ts";
import { median, quantile } from "./support/statistics.ts";

/** Of the many calls in each round, which take less than a second where a system is fast. */
const REPEATS = 3;

export async function measureCalls({ rounds, isQuick, only }: Options): Promise<Report> {
  const wanted = CONTESTANTS.filter(({ name }) => only === undefined || only.includes(name));
  const countsOf = ({ counts = FULL }: Contestant): Counts => (isQuick ? QUICK : counts);
  const present = new Map(
    wanted.filter(({ missing }) => missing() === undefined).map((one) => [one.name, one]),
  );
  const { figures, referenceMs } = await inRounds([...present.keys()], rounds, (name) =>
    measure(present.get(name)!, countsOf(present.get(name)!)),
  );
  const measured = [...figures].map(([name, all]) => {
    const contestant = present.get(name)!;
    return { contestant, counts: countsOf(contestant), rounds: all };
  });
  return {
    suite: "calls",
    tables: callsTables(measured),
    bars: callsCharts(measured),
    measured: Object.fromEntries(figures),
    versions: Object.assign({}, ...measured.map(({ contestant }) => contestant.versions())),
    referenceMs,
    skipped: wanted.flatMap(({ missing }) => missing() ?? []),
  };
}

/** In processes of its own, which are fresh: first it is cold, then it warms up, then it is measured. */
async function measure(contestant: Contestant, counts: Counts): Promise<Figures> {
  const running = await contestant.start();
  try {
    return await measureRunning(running, counts);
  } finally {
    await running.stop();
  }
}

async function measureRunning({ driver, parts }: Running, counts: Counts): Promise<Figures> {
  const cold = await driver.oneByOne(counts.cold);
  await driver.oneByOne(counts.warmUp);
  const warm = await driver.oneByOne(counts.oneByOne);
  await driver.many(Math.min(counts.warmUp, counts.many));
  const before = cpuOf(parts());
  const times: number[] = [];
  for (let done = 0; done < REPEATS; done++) times.push(await driver.many(counts.many));
  const after = cpuOf(parts());
  const rate = (count: number, ms: number): number => (count / ms) * 1_000;
  return {
    callsASecond: rate(counts.many, median(times)),
    ...(counts.veryMany === undefined
      ? {}
      : { callsASecondLong: rate(counts.veryMany, await driver.many(counts.veryMany)) }),
    coldP50Ms: quantile(cold, 0.5),
    coldP99Ms: quantile(cold, 0.99),
    p50Ms: quantile(warm, 0.5),
    p99Ms: quantile(warm, 0.99),
    cpuUs: Object.fromEntries(
      Object.entries(after).map(([part, ms]) => [
        part,
        ((ms - (before[part] ?? 0)) * 1_000) / (counts.many * REPEATS),
      ]),
    ),
  };
}

/** In ms so far. */
function cpuOf(parts: Partial<Record<Part, readonly number[]>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, pids]) => (pids.length === 0 ? [] : [[part, cpuMs(pids)]])),
  );
}
