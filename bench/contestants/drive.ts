// What every driver in JavaScript is made of: it says that it is ready, then does what each line of stdin asks for.
import { createInterface } from "node:readline";
import type { Request } from "./driver.ts";

/** Both reject when a result is wrong. */
export interface Work {
  /** So many calls at once; resolves when all results are back. */
  readonly many: (count: number) => Promise<void>;
  readonly one: () => Promise<void>;
}

/** Serves until stdin ends. */
export async function drive(works: Readonly<Record<string, Work>>): Promise<void> {
  // An exit, unlike a signal, lets a profile be written.
  process.once("SIGTERM", () => process.exit());
  answer("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    const { how, work: name, count } = JSON.parse(line) as Request;
    const work = works[name];
    if (work === undefined) throw new Error(`This driver has no work of the name ${name}`);
    answer(how === "many" ? await timed(() => work.many(count)) : await oneByOne(work, count));
  }
}

/** What the driver, or a worker, was told by who started it. */
export function settings(): unknown {
  return JSON.parse(process.argv[2] ?? "{}");
}

/** @throws when a contestant cannot add */
export function check(sum: unknown): void {
  if (sum !== 3) throw new Error(`1 + 2 came out as ${String(sum)}`);
}

async function oneByOne(work: Work, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let done = 0; done < count; done++) times.push(await timed(work.one));
  return times;
}

/** In ms. */
async function timed(run: () => Promise<void>): Promise<number> {
  const begunAt = performance.now();
  await run();
  return performance.now() - begunAt;
}

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
