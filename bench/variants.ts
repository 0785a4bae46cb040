// What a call costs when it is not add(1, 2): output, large arguments, captured variables.
import { kitchensink } from "./contestants/kitchensink/contestants.ts";
import type { Options } from "./support/arguments.ts";
import type { BarChart } from "./support/charts.ts";
import type { Report } from "./support/report.ts";
import { inRounds } from "./support/rounds.ts";
import { median } from "./support/statistics.ts";
import { medianAndRange, type Table } from "./support/table.ts";

interface Variant {
  /** The name of the work in `contestants/kitchensink/client.ts`. */
  readonly work: string;
  readonly title: string;
  readonly many: number;
  readonly oneByOne: number;
}

const VARIANTS: readonly Variant[] = [
  { work: "add", title: "add(1, 2)", many: 10_000, oneByOne: 500 },
  { work: "print", title: "prints one line", many: 5_000, oneByOne: 500 },
  { work: "captured", title: "captures three variables, one of which changes", many: 5_000, oneByOne: 500 },
  { work: "10 kB", title: "takes 10 kB of text", many: 2_000, oneByOne: 200 },
  { work: "1 MB", title: "takes 1 MB of text", many: 50, oneByOne: 20 },
];
const QUICK = { many: 5, oneByOne: 2 };
const WARM_UP_SHARE = 0.2;

interface Figures {
  readonly callsASecond: number;
  readonly p50Ms: number;
}

/** By the variant's work. */
type Round = Readonly<Record<string, Figures>>;

interface Way {
  readonly title: string;
  readonly rounds: readonly Round[];
}

export async function measureVariants({ rounds, isQuick, only }: Options): Promise<Report> {
  const ways = kitchensink.filter(({ name }) => name !== "http" && (only?.includes(name) ?? true));
  const variants = VARIANTS.map((variant) => (isQuick ? { ...variant, ...QUICK } : variant));
  const measure = async (name: string): Promise<Round> => {
    const running = await ways.find((way) => way.name === name)!.start();
    try {
      const figures: Record<string, Figures> = {};
      for (const variant of variants) figures[variant.work] = await measureVariant(running.driver, variant);
      return figures;
    } finally {
      await running.stop();
    }
  };
  const { figures, referenceMs } = await inRounds(
    ways.map(({ name }) => name),
    rounds,
    measure,
  );
  const measured = ways.map(({ name, title }) => ({
    title: title.replace(/^.*: /, ""),
    rounds: figures.get(name)!,
  }));
  return {
    suite: "variants",
    tables: [throughput(measured, variants), latency(measured)],
    bars: [chart(measured)],
    measured: Object.fromEntries(figures),
    referenceMs,
  };
}

interface Driver {
  many(count: number, work: string): Promise<number>;
  oneByOne(count: number, work: string): Promise<readonly number[]>;
}

async function measureVariant(driver: Driver, { work, many, oneByOne }: Variant): Promise<Figures> {
  await driver.oneByOne(Math.ceil(oneByOne * WARM_UP_SHARE), work);
  const times = await driver.oneByOne(oneByOne, work);
  await driver.many(Math.ceil(many * WARM_UP_SHARE), work);
  return { callsASecond: (many / (await driver.many(many, work))) * 1_000, p50Ms: median(times) };
}

function throughput(ways: readonly Way[], variants: readonly Variant[]): Table {
  return {
    name: "variants",
    columns: ["calls/s of a function that", "calls", ...ways.map(({ title }) => title)],
    rows: variants.map(({ work, title, many }) => [
      title,
      many,
      ...ways.map(({ rounds }) => medianAndRange(rounds.map((round) => round[work]!.callsASecond))),
    ]),
  };
}

function latency(ways: readonly Way[]): Table {
  return {
    name: "variants: latency",
    columns: ["one by one, p50 in ms", ...ways.map(({ title }) => title)],
    rows: VARIANTS.map(({ work, title }) => [
      title,
      ...ways.map(({ rounds }) => medianAndRange(rounds.map((round) => round[work]!.p50Ms))),
    ]),
  };
}

function chart(ways: readonly Way[]): BarChart {
  return {
    file: "variants",
    title: "How long a call takes, by what it does",
    x: "p50 ms",
    isLog: true,
    rows: VARIANTS.map(({ title }) => title),
    series: ways.map(({ title, rounds }) => ({
      name: title,
      values: VARIANTS.map(({ work }) =>
        Number(median(rounds.map((round) => round[work]!.p50Ms)).toPrecision(3)),
      ),
    })),
  };
}
