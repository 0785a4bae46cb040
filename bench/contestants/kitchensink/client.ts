// Calls of captured functions through `Client`.
import { Writable } from "node:stream";
import { Client } from "kitchensink";
import { check, drive, settings, type Work } from "../drive.ts";

const { url, token, async } = settings() as { url: string; token: string; async: boolean };
const client = new Client(url, { token, async });

const add = (a: number, b: number): number => a + b;

let linesPrinted = 0;
const counting = new Writable({
  write: (chunk: Buffer, _, done) => {
    for (const byte of chunk) if (byte === 10) linesPrinted++;
    done();
  },
});
const printing = client.with({ output: { stdout: counting, stderr: counting } });
const addAloud = (a: number, b: number): number => {
  console.log(`adding ${a} and ${b}`);
  return a + b;
};

const small = "x".repeat(10_000);
const large = "x".repeat(1_000_000);
const lengthOf = (text: string): number => text.length;

let calls = 0;
const weights = [1, 2, 3];
const units = { name: "ms" };
const captured = (x: number): number => x + calls + weights.length + units.name.length;

const addLate = async (a: number, b: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return a + b;
};

await drive({
  add: sums(add),
  "5 ms": sums(addLate),
  print: {
    many: async (count) => {
      linesPrinted = 0;
      const jobs = Array.from({ length: count }, () => printing.call(addAloud, 1, 2));
      for (const result of await Promise.all(jobs)) check(result);
      same(linesPrinted, count);
    },
    one: async () => check(await printing.call(addAloud, 1, 2)),
  },
  "10 kB": lengths(small),
  "1 MB": lengths(large),
  captured: {
    many: async (count) => {
      const first = calls + 1;
      const jobs = Array.from({ length: count }, () => {
        calls++;
        return client.call(captured, 1);
      });
      const results = await Promise.all(jobs);
      for (const [at, result] of results.entries()) same(result, 1 + first + at + 5);
    },
    one: async () => {
      calls++;
      same(await client.call(captured, 1), 1 + calls + 5);
    },
  },
  map: {
    many: async (count) => {
      let total = 0;
      for await (const one of client.map((x: number) => x + 1, numbers(count))) total += one;
      same(total, (count * (count + 1)) / 2);
    },
    one: async () => void (await client.map((x: number) => x + 1, [1])),
  },
  hold: { many: hold, one: () => hold(1) },
  queue: { many: queue, one: () => queue(1) },
});
await client.close();

function sums(fn: (a: number, b: number) => number | Promise<number>): Work {
  return {
    many: async (count) => {
      const jobs = Array.from({ length: count }, () => client.call(fn, 1, 2));
      for (const result of await Promise.all(jobs)) check(result);
    },
    one: async () => check(await client.call(fn, 1, 2)),
  };
}

/** Calls that never end; resolves when all of them run. */
async function hold(count: number): Promise<void> {
  let running = 0;
  await new Promise<void>((resolve) => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => {
        if (++running === count) resolve();
        done();
      },
    });
    const holding = client.with({ output: { stdout, stderr: stdout } });
    for (let at = 0; at < count; at++)
      void holding.call(async () => {
        console.log("held");
        await new Promise((never) => setTimeout(never, 2 ** 30));
      });
  });
}

/** Calls that wait; resolves when the node has taken all of them. */
async function queue(count: number): Promise<void> {
  const jobs = Array.from({ length: count }, () => client.call(add, 1, 2));
  // They leave in order.
  await jobs.at(-1)?.status();
}

function lengths(text: string): Work {
  return {
    many: async (count) => {
      const jobs = Array.from({ length: count }, () => client.call(lengthOf, text));
      for (const length of await Promise.all(jobs)) same(length, text.length);
    },
    one: async () => same(await client.call(lengthOf, text), text.length),
  };
}

function* numbers(count: number): Generator<number> {
  for (let at = 0; at < count; at++) yield at;
}

function same(value: number, expected: number): void {
  if (value !== expected) throw new Error(`A result is ${value}, which should be ${expected}`);
}
