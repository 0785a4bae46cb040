// Profiles workers from within: a node ends them by a signal, so they would not write a profile at their end.
import type { Client } from "kitchensink";
import type { CpuProfile, Window } from "./costs.ts";

export interface Profiled {
  readonly window: Window;
  readonly workers: readonly CpuProfile[];
}

/** So long that each of these calls has a worker of its own. */
const HOLD_MS = 300;

/** Profiles so many workers while `work` goes on. They must have nothing else to do before and after. */
export async function profiled(
  client: Client,
  { workers, intervalUs }: { workers: number; intervalUs: number },
  work: () => Promise<void>,
): Promise<Profiled> {
  const each = <T>(fn: (holdMs: number, interval: number) => Promise<T>): Promise<T[]> =>
    Promise.all(
      Array.from({ length: workers }, () => client.call(fn, HOLD_MS, intervalUs) as PromiseLike<T>),
    );
  const begun = await each(begin);
  if (new Set(begun).size < workers) throw new Error("One worker was asked twice for its profile");
  const from = nowUs();
  await work();
  const to = nowUs();
  const texts = await each(end);
  return { window: { from, to }, workers: texts.map((text) => JSON.parse(text) as CpuProfile) };
}

function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Gives the process's id. */
async function begin(holdMs: number, interval: number): Promise<number> {
  const { Session } = process.getBuiltinModule("node:inspector/promises");
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval });
  await session.post("Profiler.start");
  Reflect.set(globalThis, "profiling", session);
  await new Promise((resolve) => setTimeout(resolve, holdMs));
  return process.pid;
}

/** Gives the profile as JSON. */
async function end(holdMs: number): Promise<string> {
  const session = Reflect.get(globalThis, "profiling") as {
    post: (method: string) => Promise<{ profile: object }>;
  };
  const { profile } = await session.post("Profiler.stop");
  await new Promise((resolve) => setTimeout(resolve, holdMs));
  return JSON.stringify(profile);
}
