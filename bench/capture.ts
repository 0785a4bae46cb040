// What it costs to take values and functions apart and to make them again, in one process.
import { execFileSync } from "node:child_process";
import { setImmediate } from "node:timers/promises";
import { runInThisContext } from "node:vm";
import { captureParts } from "../src/capture/capture.ts";
import { revive, reviveParts } from "../src/capture/revive.ts";
import { bundle } from "../src/capture/wire/wire.ts";
import type { Options } from "./support/arguments.ts";
import { referenceWork } from "./support/reference-work.ts";
import type { Report } from "./support/report.ts";
import { median } from "./support/statistics.ts";

/** For each round that is asked for, because these are short. */
const REPEATS = 3;

interface Result {
  readonly what: string;
  /** Of the rounds, each being the median of its calls. */
  readonly medianUs: number;
  readonly lowestUs: number;
  readonly highestUs: number;
}

type Fn = (x: number) => unknown;

const row = {
  id: 4711,
  name: "Ada Lovelace",
  email: "ada@example.com",
  tags: ["first", "second", "third"],
  address: { street: "12 St James's Square", city: "London", zip: "SW1Y 4LB" },
  isActive: true,
  score: 98.6,
};
const rows = Array.from({ length: 50 }, (_, id) => ({ ...row, id }));

/** Values that functions capture, in turn. */
const VALUES = [3, "text", [1, 2, 3], { unit: "ms" }, true, 2.5, null, new Date(0), [["a", 1]], -1];

let scripts = 0;

/**
 * Distinct functions of about ten lines from one script, as a file would hold them, with `captures` variables each. One
 * more was captured already, because the first of a script asks for the script's name. Something assigns to the
 * variables unless they are `fixed`, so that they have to be read for each capture.
 */
function distinct(count: number, captures: number, { fixed = false } = {}): Fn[] {
  const names = VALUES.slice(0, captures).map((_, index) => `value${index}`);
  const assigning = fixed || captures === 0 ? "" : `() => [${names.join(",")}] = [],`;
  const script = scripts++;
  const texts = Array.from(
    { length: count + 1 },
    (_, index) => `(${names.join(",")}) => (${assigning} (x) => {
      const label = "script ${script} number ${index}";
      const found = [];
      for (let at = 0; at < x; at++) {
        if (at % 2 === 0) continue;
        found.push({ at, label, square: Math.sqrt(at) });
      }
      const known = [${names.join(",")}].filter((value) => value !== undefined);
      return found.length > 10 ? { found, known } : { found: [], known };
    })`,
  );
  const makers = runInThisContext(`[${texts.join(",\n")}]`, { filename: `/bench/script-${script}.js` });
  const [first, ...others] = (makers as ((...values: unknown[]) => Fn)[]).map((make) =>
    make(...VALUES.slice(0, captures)),
  );
  captureParts(first);
  return others;
}

class Account {
  #balance = 0;
  readonly owner: string;
  constructor(owner: string) {
    this.owner = owner;
  }
  deposit(amount: number): number {
    this.#balance += amount;
    return this.#balance;
  }
}
const account = new Account("Ada");

function now(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

/** `run` gives the microseconds of one call. */
async function measure(
  what: string,
  run: () => number | Promise<number>,
  { warmUps, repeats }: { readonly warmUps: number; readonly repeats: number },
): Promise<Result> {
  for (let warmUp = 0; warmUp < warmUps; warmUp++) await run();
  const times: number[] = [];
  for (let done = 0; done < repeats; done++) times.push(await run());
  return { what, medianUs: median(times), lowestUs: Math.min(...times), highestUs: Math.max(...times) };
}

/** The median of batches: one call is too short to be timed, and a pause of the machine spoils the mean. */
function repeated(call: () => unknown, { batches = 100, size = 1 } = {}): () => number {
  return () =>
    median(
      Array.from({ length: batches }, () => {
        const start = now();
        for (let done = 0; done < size; done++) call();
        return (now() - start) / size;
      }),
    );
}

/** As between awaited calls: what capturing puts off to the end of a turn is done each time, outside of the measure. */
function onceATurn(call: () => unknown, count: number): () => Promise<number> {
  return async () => {
    const times: number[] = [];
    for (let done = 0; done < count; done++) {
      const start = now();
      call();
      times.push(now() - start);
      await setImmediate();
    }
    return median(times);
  };
}

/** Each item is used once, after `prepare` made a round's worth of them. */
function eachOnce<T>(prepare: () => readonly T[], use: (item: T) => unknown): () => number {
  return () =>
    median(
      prepare().map((item) => {
        const start = now();
        use(item);
        return now() - start;
      }),
    );
}

function bytesOf(fn: Fn): Uint8Array {
  const { graph, units } = captureParts(fn);
  return bundle(graph, units);
}

/**
 * Megabytes that stay after very many captures, and after as many again: a table of V8's for what the inspector showed
 * grows once, and a leak would go on.
 */
function heapGrowth(count: number): readonly number[] {
  const functions = distinct(10, 3);
  const captureAll = (times: number): void => {
    for (let done = 0; done < times; done++) captureParts(functions[done % functions.length]);
  };
  captureAll(1_000);
  return [1, 2].map(() => {
    const before = heapUsed();
    captureAll(count);
    return (heapUsed() - before) / 2 ** 20;
  });
}

function heapUsed(): number {
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

// A script's `gc` exists only under a flag, which may be set at any time before it is looked up.
process.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc");
const gc = process.getBuiltinModule("node:vm").runInNewContext("gc") as () => void;

function warm(captures: number, options?: { fixed: boolean }): () => unknown {
  const [fn] = distinct(1, captures, options);
  return () => captureParts(fn);
}

/** Functions that were captured once. */
function capturedOnce(captures: number): Fn[] {
  const functions = distinct(100, captures);
  for (const fn of functions) captureParts(fn);
  return functions;
}

/** What it takes a new process, which has loaded no parser and knows no script. */
function firstOfProcess(): number {
  const program = `
    import { captureParts } from ${JSON.stringify(new URL("../dist/capture/capture.js", import.meta.url).href)};
    const factor = 3;
    const start = process.hrtime.bigint();
    captureParts((x) => x * factor);
    console.log(Number(process.hrtime.bigint() - start) / 1000);
  `;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }));
}

function known(captures: number): () => number {
  const [fn] = distinct(1, captures);
  const { graph, units } = captureParts(fn);
  const bytes = new Map<string, Uint8Array>(units.map((unit) => [unit.hash, unit.bytes]));
  return repeated(() => reviveParts(graph, (hash) => bytes.get(hash) as Uint8Array), { size: 50 });
}

/** The text differs from function to function, so none of them is known. */
function tiny(count: number): Fn[] {
  const script = scripts++;
  const texts = Array.from({ length: count }, (_, index) => `(x) => x + ${script * count + index}`);
  return runInThisContext(`[${texts.join(",")}]`, { filename: `/bench/tiny-${script}.js` }) as Fn[];
}

/** What it may take, in µs, where something was promised. */
const TARGETS_US: Readonly<Record<string, number>> = {
  "capture a function, 3 captures, warm": 100,
  "capture a function, 3 captures, warm, one a turn": 100,
  "capture a function, 10 captures, warm": 100,
  "capture a function, 10 captures, warm, one a turn": 100,
  "capture a function, 3 captures that nothing assigns to, warm": 100,
  "capture a function, 10 captures that nothing assigns to, warm": 100,
  "capture a function, 3 captures, second time": 100,
  "capture a function, 10 captures, second time": 100,
  "capture a function, 3 captures, cold": 300,
  "capture a function, 10 captures, cold": 300,
  "revive a tiny function, first": 30,
  "revive 10 lines, 3 captures, first": 30,
  "revive 10 lines, 0 captures, known": 1,
  "revive 10 lines, 3 captures, known": 1,
};

const KINDS: Record<string, () => number | Promise<number>> = {
  "capture [1, 2]": repeated(() => captureParts([1, 2]), { size: 100 }),
  "capture a row of 190 bytes": repeated(() => captureParts(row), { size: 50 }),
  "capture 50 rows": repeated(() => captureParts(rows)),
  "capture a function, 0 captures, warm": repeated(warm(0), { size: 100 }),
  "capture a function, 3 captures, warm": repeated(warm(3), { batches: 200 }),
  "capture a function, 3 captures, warm, one a turn": onceATurn(warm(3), 200),
  "capture a function, 10 captures, warm": repeated(warm(10), { batches: 200 }),
  "capture a function, 10 captures, warm, one a turn": onceATurn(warm(10), 200),
  "capture a function, 3 captures that nothing assigns to, warm": repeated(warm(3, { fixed: true }), {
    batches: 400,
  }),
  "capture a function, 10 captures that nothing assigns to, warm": repeated(warm(10, { fixed: true }), {
    batches: 400,
  }),
  "capture a function, 3 captures, second time": eachOnce(() => capturedOnce(3), captureParts),
  "capture a function, 10 captures, second time": eachOnce(() => capturedOnce(10), captureParts),
  "capture a function, 0 captures, cold": eachOnce(() => distinct(100, 0), captureParts),
  "capture a function, 3 captures, cold": eachOnce(() => distinct(100, 3), captureParts),
  "capture a function, 10 captures, cold": eachOnce(() => distinct(100, 10), captureParts),
  "capture a class and an instance, warm": repeated(() => captureParts({ Account, account })),
  "capture the first function of a process": firstOfProcess,
  "revive a tiny function, first": eachOnce(() => tiny(100).map(bytesOf), revive),
  "revive 10 lines, 3 captures, first": eachOnce(() => distinct(100, 3).map(bytesOf), revive),
  "revive 10 lines, 0 captures, known": known(0),
  "revive 10 lines, 3 captures, known": known(3),
};

export async function measureCapture({ rounds, isQuick }: Options): Promise<Report> {
  const times = isQuick ? { warmUps: 0, repeats: 1 } : { warmUps: 3, repeats: rounds * REPEATS };
  const results: Result[] = [];
  const referenceMs = [referenceWork()];
  for (const [what, run] of Object.entries(KINDS)) results.push(await measure(what, run, times));
  const heapMb = heapGrowth(isQuick ? 1_000 : 100_000);
  referenceMs.push(referenceWork());
  return {
    suite: "capture",
    tables: [
      {
        name: "capture",
        columns: ["what", "target, µs", "median, µs", "lowest", "highest"],
        rows: results.map(({ what, medianUs, lowestUs, highestUs }) => [
          what,
          TARGETS_US[what] ?? "",
          medianUs,
          lowestUs,
          highestUs,
        ]),
      },
      {
        name: "capture: heap",
        columns: ["captures", "heap, MB more"],
        rows: heapMb.map((mb, at) => [`${at === 0 ? "the first" : "the next"} 100,000`, mb]),
      },
    ],
    measured: { results, heapMb },
    referenceMs,
  };
}
