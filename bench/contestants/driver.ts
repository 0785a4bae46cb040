// A driver is a contestant's client: a process of its own that makes calls when it is told to by a line of JSON on stdin,
// and says on stdout, in a line of JSON, how long they took. So it can be written in any language.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { supervise } from "../support/processes.ts";

/** What it is asked for. */
export interface Request {
  /** `many`: all at once, until all results are back; `one-by-one`: each after the one before. */
  readonly how: "many" | "one-by-one";
  /** What is called; every contestant knows `add`. */
  readonly work: string;
  readonly count: number;
}

export interface Driver {
  readonly pid: number;
  /** All at once: how long until all results were back, in ms. */
  many(count: number, work?: string): Promise<number>;
  /** Each after the one before: how long each took, in ms. */
  oneByOne(count: number, work?: string): Promise<readonly number[]>;
  stop(): Promise<void>;
}

/** Starts a driver, and waits until it can make calls. It is told `settings` as JSON in its last argument. */
export async function startDriver(
  [command = "", ...args]: readonly string[],
  settings: object,
  env: Readonly<Record<string, string>> = {},
): Promise<Driver> {
  const child = spawn(command, [...args, JSON.stringify(settings)], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
    env: { ...process.env, ...env },
  });
  const { stop } = supervise(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`The driver ${args.join(" ")} ended before it had answered`);
    return JSON.parse(value);
  };
  const ask = async (request: Request): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return await read();
  };
  try {
    await read();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: child.pid!,
    many: async (count, work = "add") => (await ask({ how: "many", work, count })) as number,
    oneByOne: async (count, work = "add") => (await ask({ how: "one-by-one", work, count })) as number[],
    stop,
  };
}
