import { showBytes } from "../../core/show-bytes.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, note, type Session, type SessionFlags } from "../session.ts";
import { count } from "../start-options.ts";
import { Table } from "../table.ts";
import { type Measure, MEASURES, type Round } from "./measures.ts";
import { quantile } from "./quantile.ts";

export interface BenchFlags extends SessionFlags {
  readonly seconds: string;
}

const ROUNDS = 3;
const MOST_SECONDS = 3_600;
const MEDIAN = 0.5;

/** `kitchensink bench`: all measures in turn, round by round, so that what else happens meanwhile hits them alike. */
export async function benchmark(flags: BenchFlags): Promise<void> {
  const seconds = count("--seconds", flags.seconds, { least: 1, most: MOST_SECONDS });
  const roundMs = (seconds * 1_000) / (ROUNDS * MEASURES.length);
  await inSession(flags, async (session) => {
    await describe(session, roundMs);
    const client = session.client.with({ output: "off" });
    for (const measure of MEASURES) await measure.run(client, 0);
    const rounds = MEASURES.map((): Round[] => []);
    for (let round = 0; round < ROUNDS; round++)
      for (const [at, measure] of MEASURES.entries()) {
        session.signal.throwIfAborted();
        rounds[at]?.push(await measure.run(client, roundMs));
      }
    await tellAll(
      MEASURES.map((measure, at) => summary(measure, rounds[at] ?? [])),
      session,
    );
    return EXIT.done;
  });
}

async function describe({ client }: Session, roundMs: number): Promise<void> {
  const nodes = await client.nodes();
  const workers = nodes.reduce((sum, node) => sum + node.workers, 0);
  const running = nodes.reduce((sum, node) => sum + node.running, 0);
  const places = `${nodes.length === 1 ? "1 node" : `${nodes.length} nodes`} with ${workers === 1 ? "1 worker" : `${workers} workers`}`;
  note(`${places}, through ${client.url.href}, from one client on this machine.`);
  note(
    `A function that returns its argument; data of 16 MB. ${ROUNDS} rounds of ${Math.round(roundMs)} ms each, after one to warm up; medians of the rounds.`,
  );
  if (running > 0)
    note(`${running === 1 ? "1 job runs" : `${running} jobs run`} there: what is measured is what is left.`);
}

interface Summary {
  readonly measure: string;
  readonly unit: Measure["unit"];
  /** The median of the rounds. */
  readonly perSecond: number;
  readonly rounds: readonly number[];
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

function summary({ name: measure, unit }: Measure, all: readonly Round[]): Summary {
  const rounds = all.map(({ amount, ms }) => (amount / ms) * 1_000);
  const perSecond = quantile(rounds, MEDIAN);
  if (unit === "bytes" || all.every(({ callsMs }) => callsMs.length === 0))
    return { measure, unit, perSecond, rounds };
  const median = (share: number): number =>
    quantile(
      all.map(({ callsMs }) => quantile(callsMs, share)),
      MEDIAN,
    );
  return { measure, unit, perSecond, rounds, p50Ms: median(MEDIAN), p99Ms: median(0.99) };
}

async function tellAll(summaries: readonly Summary[], { tell }: Session): Promise<void> {
  const table = new Table(["", "EACH SECOND", "P50", "P99"], {
    rightAligned: ["EACH SECOND", "P50", "P99"],
  });
  const rows = summaries.map(({ measure, unit, perSecond, p50Ms, p99Ms }) => [
    measure,
    unit === "bytes" ? showBytes(perSecond) : Math.round(perSecond).toLocaleString("en"),
    showMs(p50Ms),
    showMs(p99Ms),
  ]);
  await tell(`\n${table.text(rows)}`, summaries);
}

function showMs(ms: number | undefined): string {
  return ms === undefined ? "" : `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}
