// The tables and charts of the calls, from what was measured.
import { PARTS, type Contestant, type Counts, type Part } from "../contestants/contestant.ts";
import type { BarChart } from "../support/charts.ts";
import { median, ratios } from "../support/statistics.ts";
import { figure, medianAndRange, type Table } from "../support/table.ts";

/** Of one contestant in one round. */
export interface Figures {
  readonly callsASecond: number;
  /** Of the largest number of calls. */
  readonly callsASecondLong?: number;
  readonly coldP50Ms: number;
  readonly coldP99Ms: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** For each call of the many, in µs of CPU. */
  readonly cpuUs: Partial<Record<Part, number>>;
}

export interface Measured {
  readonly contestant: Contestant;
  readonly counts: Counts;
  readonly rounds: readonly Figures[];
}

/** The one that all others are compared with. */
const BASE = "redis";
const BESIDE = "beside queued on Redis";
/** Beyond that a bar would leave no room for the others. */
const MOST_CHARTED_US = 500;

export function callsTables(measured: readonly Measured[]): Table[] {
  return [throughput(measured), latency(measured), cpu(measured)];
}

export function callsCharts(measured: readonly Measured[]): BarChart[] {
  return [throughputChart(measured), latencyChart(measured), cpuChart(measured)];
}

function throughput(measured: readonly Measured[]): Table {
  return {
    name: "calls",
    columns: ["add(1, 2)", "calls", "calls/s", BESIDE, "100,000 calls, calls/s"],
    rows: measured.map(({ contestant: { title }, counts, rounds }) => [
      title,
      counts.many,
      medianAndRange(rounds.map(rateOf)),
      beside(measured, rounds, rateOf),
      counts.veryMany === undefined
        ? ""
        : medianAndRange(rounds.flatMap((one) => one.callsASecondLong ?? [])),
    ]),
  };
}

function latency(measured: readonly Measured[]): Table {
  return {
    name: "calls: latency",
    columns: ["add(1, 2), one by one", "p50 ms", "p99 ms", "first calls, p50 ms", "first calls, p99 ms"],
    rows: measured.map(({ contestant: { title }, rounds }) => [
      title,
      ...(["p50Ms", "p99Ms", "coldP50Ms", "coldP99Ms"] as const).map((key) =>
        medianAndRange(rounds.map((one) => one[key])),
      ),
    ]),
  };
}

function cpu(measured: readonly Measured[]): Table {
  return {
    name: "calls: CPU",
    columns: ["µs of CPU for each call", ...PARTS, "all", BESIDE],
    rows: measured.map(({ contestant: { title }, rounds }) => [
      title,
      ...PARTS.map((part) => (rounds[0]?.cpuUs[part] === undefined ? "" : cpuOfPart(rounds, part))),
      median(rounds.map(allParts)),
      beside(measured, rounds, allParts),
    ]),
  };
}

/** The median of the ratios to the base, when it takes part. */
function beside(
  measured: readonly Measured[],
  rounds: readonly Figures[],
  of: (figures: Figures) => number,
): string {
  const base = measured.find(({ contestant }) => contestant.name === BASE)?.rounds;
  return base === undefined ? "–" : `${figure(median(ratios(rounds.map(of), base.map(of))))} ×`;
}

function throughputChart(measured: readonly Measured[]): BarChart {
  return {
    file: "calls",
    title: "Calls of add(1, 2) in a second",
    x: "calls/s",
    isLog: true,
    rows: titles(measured),
    series: [{ name: "calls/s", values: measured.map(({ rounds }) => whole(median(rounds.map(rateOf)))) }],
  };
}

function latencyChart(measured: readonly Measured[]): BarChart {
  return {
    file: "latency",
    title: "How long one call takes",
    x: "ms",
    isLog: true,
    rows: titles(measured),
    series: (["p50", "p99"] as const).map((name) => ({
      name,
      values: measured.map(({ rounds }) => short(median(rounds.map((one) => one[`${name}Ms`])))),
    })),
  };
}

function cpuChart(measured: readonly Measured[]): BarChart {
  const cheap = measured.filter(({ rounds }) => median(rounds.map(allParts)) < MOST_CHARTED_US);
  return {
    file: "cpu",
    title: "CPU time of a call, by process",
    x: "µs",
    isStacked: true,
    rows: titles(cheap),
    series: PARTS.map((name) => ({
      name,
      values: cheap.map(({ rounds }) =>
        short(rounds[0]?.cpuUs[name] === undefined ? 0 : cpuOfPart(rounds, name)),
      ),
    })),
  };
}

const titles = (measured: readonly Measured[]): string[] =>
  measured.map(({ contestant }) => contestant.title);
const rateOf = (figures: Figures): number => figures.callsASecond;
const whole = (value: number): number => Math.round(value);
const short = (value: number): number => Number(value.toPrecision(3));

function cpuOfPart(rounds: readonly Figures[], part: Part): number {
  return median(rounds.map(({ cpuUs }) => cpuUs[part] ?? 0));
}

function allParts({ cpuUs }: Figures): number {
  return Object.values(cpuUs).reduce((sum, us) => sum + us, 0);
}
