// How fast bytes get in, out and around, beside nginx and curl, dd, and Dask.
import type { Contest, Cost } from "./bytes/contests.ts";
import { contestsOf } from "./bytes/contests.ts";
import { onStage, type Sizes } from "./bytes/stage.ts";
import type { Options } from "./support/arguments.ts";
import { referenceWork } from "./support/reference-work.ts";
import type { Report } from "./support/report.ts";
import { median, ratios } from "./support/statistics.ts";
import { figure, medianAndRange, type Cell, type Table } from "./support/table.ts";

const SIZES: Sizes = {
  largeBytes: 1_000_000_000,
  mediumBytes: 100_000_000,
  objectBytes: 1_000_000,
  smallBytes: 65_536,
  smallFiles: 1_600,
};
const QUICK: Sizes = { ...SIZES, largeBytes: 4_000_000, mediumBytes: 2_000_000, smallFiles: 32 };

/** Of each round. */
interface Measured {
  readonly contest: Contest;
  readonly seconds: number[];
  readonly peerSeconds: number[];
  /** Of the client and the nodes together. */
  readonly cpuSeconds: number[];
}

export async function measureBytes({ rounds, isQuick }: Options): Promise<Report> {
  return await onStage(isQuick ? QUICK : SIZES, async (stage) => {
    const measured = (await contestsOf(stage)).map(blank);
    // The first pages of memory and of the disk, and code that is not compiled yet, cost more.
    if (!isQuick) for (const { contest } of measured) await measure(blank(contest), 0);
    const referenceMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      referenceMs.push(referenceWork());
      for (const one of measured) await measure(one, round);
    }
    const { versions, skipped } = stage;
    return {
      suite: "bytes",
      tables: [tableOf(measured)],
      measured: measured.map(({ contest: { what, bytes }, ...figures }) => ({ what, bytes, ...figures })),
      versions,
      skipped,
      referenceMs,
    };
  });
}

function blank(contest: Contest): Measured {
  return { contest, seconds: [], peerSeconds: [], cpuSeconds: [] };
}

/** In turn, now the one first and now the other: what disturbs the machine then disturbs both. */
async function measure(into: Measured, round: number): Promise<void> {
  const { ours, peer, times } = into.contest;
  const costs: Cost[] = [];
  const peerSeconds: number[] = [];
  const our = async (): Promise<void> => void costs.push(await ours());
  const their = async (): Promise<void> => void (peer && peerSeconds.push(await peer.run()));
  for (let done = 0; done < times; done += 1)
    for (const run of (round + done) % 2 === 0 ? [our, their] : [their, our]) await run();
  into.seconds.push(mean(costs.map(({ seconds }) => seconds)));
  into.cpuSeconds.push(mean(costs.map((cost) => cost.cpuSeconds)));
  if (peer !== undefined) into.peerSeconds.push(mean(peerSeconds));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function tableOf(measured: readonly Measured[]): Table {
  return {
    name: "bytes",
    columns: ["what", "size", "MB/s", "CPU s/GB", "beside", "its MB/s", "ratio", "target"],
    rows: measured.map((one) => {
      const { what, bytes, peer } = one.contest;
      const speed = (seconds: readonly number[]): string =>
        medianAndRange(seconds.map((each) => bytes / 1e6 / each));
      return [
        what,
        sizeOf(bytes),
        speed(one.seconds),
        median(one.cpuSeconds) / (bytes / 1e9),
        peer?.name ?? "",
        peer === undefined ? "" : speed(one.peerSeconds),
        peer === undefined ? "" : medianAndRange(ratiosOf(one)),
        targetOf(one.contest),
      ] satisfies Cell[];
    }),
  };
}

/** What the target is about: our speed by the peer's, or our time by the peer's. */
function ratiosOf({ contest: { target }, seconds, peerSeconds }: Measured): number[] {
  return target !== undefined && "time" in target
    ? ratios(seconds, peerSeconds)
    : ratios(peerSeconds, seconds);
}

function targetOf({ target }: Contest): string {
  if (target === undefined) return "";
  return "speed" in target ? `speed ≥ ${target.speed}` : `time ≤ ${target.time}`;
}

function sizeOf(bytes: number): string {
  return bytes >= 1e9 ? `${figure(bytes / 1e9)} GB` : `${figure(Math.round(bytes / 1e6))} MB`;
}
