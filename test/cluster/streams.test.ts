import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Client } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORES, useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { yieldNode, yieldUntilAborted } from "./fixtures/jobs.mjs";
import type api from "./fixtures/functions.ts";

const FUNCTIONS = fileURLToPath(new URL("./fixtures/functions.ts", import.meta.url));

async function* count(to: number): AsyncGenerator<number, string> {
  for (let n = 0; n < to; n++) yield n;
  return "done";
}

/** Yields until it has to return, and says in a file that it has. */
async function* endless(file: string): AsyncGenerator<number> {
  try {
    for (let n = 0; ; n++) yield n;
  } finally {
    writeFileSync(file, "finally");
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function readOne(client: Client, done: string): Promise<void> {
  const items = await client.call(endless, done);
  await items.next();
}

// The function exists only under a flag, which may be set at any time before it is looked up.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Items until one is thrown, and what is thrown. */
async function collectUntilThrown<T>(items: AsyncIterable<T>): Promise<{ all: T[]; thrown: unknown }> {
  const all: T[] = [];
  try {
    for await (const item of items) all.push(item);
  } catch (thrown) {
    return { all, thrown };
  }
  return { all, thrown: undefined };
}

describe.each(STORES)("on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  let queued: Client;
  beforeAll(async () => {
    cluster = await startCluster({
      ...options(),
      numWorkers: 2,
      modules: [FUNCTIONS],
      graceMs: 500,
    });
    queued = cluster.client;
  });
  afterAll(() => cluster.close());

  describe.each(["queued", "instant"])("%s", (lane) => {
    const client = (): Client => (lane === "queued" ? queued : queued.with({ async: false }));

    test("a generator's items come one by one, in order, then what it returns", async () => {
      const items = await client().call(count, 3);
      const steps = [await items.next(), await items.next(), await items.next(), await items.next()];
      expect(steps).toEqual([
        { value: 0, done: false },
        { value: 1, done: false },
        { value: 2, done: false },
        { value: "done", done: true },
      ]);
      expect(await items.next()).toEqual({ value: undefined, done: true });
    });

    test("many items come all, each once", async () => {
      const all = await collect(await client().call(count, 10_000));
      expect(all).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
    });

    test("several that are asked for at once come in order", async () => {
      const items = await client().call(count, 3);
      const steps = await Promise.all([items.next(), items.next(), items.next(), items.next()]);
      expect(steps.map(({ value }) => value)).toEqual([0, 1, 2, "done"]);
    });

    test("a synchronous generator's items come too, and so do those of an async function's generator", async () => {
      const factor = 10;
      const some = function* (): Generator<number | Promise<number>> {
        yield factor;
        yield Promise.resolve(factor * 2);
      };
      expect(await collect(await client().call(some))).toEqual([10, 20]);
      expect(await collect(await client().call(async () => count(2)))).toEqual([0, 1]);
    });

    test("items are what results are: instances of the caller's classes, functions, large buffers", async () => {
      class Point {
        readonly x: number;
        constructor(x: number) {
          this.x = x;
        }
        double(): number {
          return this.x * 2;
        }
      }
      const items = await client().call(async function* () {
        yield new Point(3);
        yield (n: number) => n + 1;
        yield new Uint8Array(3_000_000).fill(7);
      });
      const [point, increment, bytes] = await collect<any>(items);
      expect(point).toBeInstanceOf(Point);
      expect(point.double()).toBe(6);
      expect(increment(1)).toBe(2);
      expect([bytes.length, bytes[2_999_999]]).toEqual([3_000_000, 7]);
    });

    test("what the generator throws comes after its items, as its class, from the line that threw", async () => {
      class Exhausted extends Error {}
      const items = await client().call(async function* () {
        yield 1;
        yield 2;
        throw new Exhausted("no more");
      });
      const { all, thrown } = await collectUntilThrown(items);
      expect(all).toEqual([1, 2]);
      expect(thrown).toBeInstanceOf(Exhausted);
      const { stack = "" } = thrown as Error;
      expect(stack.split("\n")[1]).toMatch(/streams\.test\.ts:\d+:\d+/);
      expect(stack.split("\n")[2]).toMatch(/^ +at anonymous \(job /);
      expect(stack.split("\n")[3]).toMatch(/^ +at (async )?collectUntilThrown/);
    });

    test("a loop that is left early has the generator return: its finally block has run then", async () => {
      const done = join(temporaryDirectory(), "done");
      const items = await client().call(endless, done);
      for await (const n of items) if (n === 5) break;
      expect(readFileSync(done, "utf8")).toBe("finally");
      expect(await items.next()).toEqual({ value: undefined, done: true });
    });

    test("one that is never begun to be read returns as well", async () => {
      const done = join(temporaryDirectory(), "done");
      const items = await client().call(endless, done);
      await items.return(undefined);
      expect(existsSync(done)).toBe(true);
    });

    test("what a finally block throws is thrown to who leaves the loop", async () => {
      const items = await client().call(async function* () {
        try {
          for (let n = 0; ; n++) yield n;
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- it is what is tested
          throw new RangeError("cannot clean up");
        }
      });
      const leaving = (async () => {
        for await (const n of items) if (n === 3) break;
      })();
      await expect(leaving).rejects.toThrow(new RangeError("cannot clean up"));
    });

    test("a generator runs only a little ahead of its reader", async () => {
      const flag = join(temporaryDirectory(), "flag");
      const items = await client().call(async function* (file: string) {
        for (;;) yield existsSync(file);
      }, flag);
      await items.next();
      // Time enough for thousands of items, if nothing held them back.
      for (let turn = 0; turn < 20; turn++) await queued.call(() => 1);
      writeFileSync(flag, "");
      let ahead = 0;
      for await (const isFlagged of items) {
        if (isFlagged) break;
        ahead += 1;
      }
      expect(ahead).toBeLessThanOrEqual(3 * 64);
    });

    test("an item that cannot travel is named, and the generator is closed", async () => {
      const done = join(temporaryDirectory(), "done");
      const items = await client().call(async function* (file: string) {
        try {
          yield 1;
          yield { socket: createServer() };
        } finally {
          writeFileSync(file, "finally");
        }
      }, done);
      const { all, thrown } = await collectUntilThrown<unknown>(items);
      expect(all).toEqual([1]);
      expect(thrown).toMatchObject({ code: "KS_CANNOT_CAPTURE" });
      expect((thrown as Error).message).toMatch(/^Cannot capture item → \.socket: a live Server of node:net/);
      expect(existsSync(done)).toBe(true);
    });

    test("a worker that dies ends the items with its death report, and nothing is begun anew", async () => {
      const file = join(temporaryDirectory(), "begun");
      const items = await client().call(async function* (path: string) {
        writeFileSync(path, "begun\n", { flag: "a" });
        yield 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        process.kill(process.pid, "SIGKILL");
        yield 2;
      }, file);
      const { all, thrown } = await collectUntilThrown(items);
      expect(all).toEqual([1]);
      expect(thrown).toMatchObject({ code: "KS_WORKER_LOST" });
      expect(readFileSync(file, "utf8")).toBe("begun\n");
    });

    test("a cancelled job ends its items with KS_CANCELLED, and its generator returns", async () => {
      const done = join(temporaryDirectory(), "done");
      const job = client().call(yieldUntilAborted, done);
      const items = await job;
      await items.next();
      await job.cancel("enough");
      const { thrown } = await collectUntilThrown(items);
      expect(thrown).toMatchObject({ code: "KS_CANCELLED" });
      expect(existsSync(done)).toBe(true);
    });

    test("a deadline ends items too", async () => {
      const items = await client()
        .with({ timeoutMs: 100 })
        .call(async function* () {
          yield 1;
          await new Promise(() => {});
        });
      const { all, thrown } = await collectUntilThrown(items);
      expect(all).toEqual([1]);
      expect(thrown).toMatchObject({ code: "KS_TIMEOUT" });
    });

    test("values cannot be sent in, which is said, and throwing has the generator return", async () => {
      const items = await client().call(count, 1_000_000);
      await items.next();
      const next = items.next as (value: unknown) => Promise<unknown>;
      await expect(next.call(items, 5)).rejects.toThrow(/^Cannot send a value into a generator/);
      await expect(items.throw(new RangeError("mine"))).rejects.toThrow(new RangeError("mine"));
      expect(await items.next()).toEqual({ value: undefined, done: true });
    });

    test("items of registered functions are typed and come by every codec", async () => {
      const first: number[] = await collect(await client().rpc<typeof api>("test").countdown(3));
      expect(first).toEqual([3, 2, 1]);
      const json = client().with({ codec: "json", rpcName: "test" });
      expect(await collect(await json.call<AsyncGenerator<number>>("countdown", 2))).toEqual([2, 1]);
    });

    test("a worker is free again after its generator has ended", async () => {
      for (let turn = 0; turn < 5; turn++) {
        const items = await client().call(count, 1_000_000);
        for await (const n of items) if (n === 2) break;
      }
      expect(await client().call(() => "free")).toBe("free");
    });
  });

  test("short calls do not wait behind a generator whose reader takes its time", async () => {
    const one = (): number => 1;
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 200 }, () => queued.call(one)));
      for (let turn = 0; turn < 3; turn++) await collect(await queued.call(count, 0));
      const unread = queued.call(count, 1_000_000);
      const together = Array.from({ length: 100 }, () => queued.call(one));
      const items = await unread;
      expect(new Set(await Promise.all(together))).toEqual(new Set([1]));
      for (let turn = 0; turn < 50; turn++) expect(await queued.call(one)).toBe(1);
      for await (const n of items) if (n === 1) break;
    }
  });

  test("an instant call whose workers are all kept by generators is refused, for its reader may be who calls", async () => {
    const instant = queued.with({ async: false });
    const items = await instant.call(count, 1_000_000);
    const blocked = Promise.resolve(instant.call(() => 1));
    await expect(blocked).rejects.toMatchObject({
      code: "KS_BUSY",
      message: expect.stringMatching(/^No worker for the call: generators that are being read keep/),
    });
    for await (const n of items) if (n === 1) break;
    expect(await instant.call(() => 1)).toBe(1);
  });

  test("output of the generator comes while it runs", async () => {
    const lines: string[] = [];
    const sink = { write: (bytes: Uint8Array) => lines.push(Buffer.from(bytes).toString()) };
    const items = await queued.with({ output: { stdout: sink, stderr: sink } }).call(async function* () {
      console.log("one");
      yield 1;
      console.log("two");
    });
    expect(await collect(items)).toEqual([1]);
    expect(lines.join("")).toBe("one\ntwo\n");
  });

  test("retries are for calls that gave nothing yet", async () => {
    const file = join(temporaryDirectory(), "begun");
    const items = await queued.with({ retries: 3 }).call(async function* (path: string) {
      writeFileSync(path, "begun\n", { flag: "a" });
      yield 1;
      throw new RangeError("late");
    }, file);
    const { all, thrown } = await collectUntilThrown(items);
    expect([all, thrown]).toEqual([[1], new RangeError("late")]);
    expect(readFileSync(file, "utf8")).toBe("begun\n");
  });

  test("another client can read them by the job's id, while it runs; afterwards they are gone, which is said", async () => {
    const job = queued.call(async function* () {
      yield 1;
      yield 2;
    });
    await job;
    const other = cluster.connect();
    expect(await collect(await other.result<AsyncGenerator<number>>(job.id))).toEqual([1, 2]);
    const late = await cluster.connect().result<AsyncGenerator<number>>(job.id);
    await expect(late.next()).rejects.toThrow(
      /^The items of the job [\w-]+ are gone: a call's items are read while it runs, and not kept/,
    );
  });

  test("items that nobody holds any more need not be made: their generator returns", async () => {
    const done = join(temporaryDirectory(), "done");
    await readOne(queued, done);
    await expect.poll(() => (collectGarbage(), existsSync(done)), { timeout: 10_000 }).toBe(true);
  });

  test("closing the client has its generators return", async () => {
    const done = join(temporaryDirectory(), "done");
    const leaving = cluster.connect();
    const job = leaving.call(endless, done);
    const items = await job;
    await items.next();
    await leaving.close();
    await queued.result(job.id).catch(() => {});
    await expect.poll(() => existsSync(done)).toBe(true);
    const { thrown } = await collectUntilThrown(items);
    expect(thrown).toMatchObject({ code: "KS_CONNECTION_LOST" });
  });

  test("a script that does not read on exits by itself, and one that reads to the end too", async () => {
    const script = fileURLToPath(new URL("./fixtures/reading.mjs", import.meta.url));
    const env = { ...process.env, KITCHENSINK_TOKEN: cluster.token };
    for (const [lane, many] of [
      ["queued", "3"],
      ["queued", "all"],
      ["instant", "3"],
      ["instant", "all"],
    ] as const) {
      const { stdout } = await promisify(execFile)(process.execPath, [script, cluster.urls[0]!, lane, many], {
        env,
        timeout: 15_000,
      });
      expect(stdout).toBe(many === "3" ? "012" : "01234 done");
    }
  });

  test("plain HTTP gives a registered generator's items as lines of JSON", async () => {
    const headers = { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" };
    const url = new URL("/rpc/test/countdown", cluster.urls[0]);
    const response = await fetch(url, { method: "POST", headers, body: "[3]" });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(await response.text()).toBe("3\n2\n1\n");
    const failing = await fetch(url, { method: "POST", headers, body: "[-1]" });
    await expect(failing.text()).rejects.toThrow("terminated");
  });
});

describe("with two nodes", () => {
  const options = useStore("redis");
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), nodes: 2, leaseMs: 1_000 });
  });
  afterAll(() => cluster.close());

  test("a client of one node reads what the other one runs", async () => {
    const [, second] = cluster.nodes;
    const c = cluster.client.with({ node: second?.name ?? "" });
    const [first, ...rest] = await collect(await c.call(yieldNode, 1_000));
    expect(first).toBe(second?.name);
    expect(rest).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });

  test("when the node that runs it leaves, the reader is told and nothing is begun anew", async () => {
    const [, second] = cluster.nodes;
    const c = cluster.client.with({ node: second?.name ?? "" });
    const items = await c.call(count, 1_000_000);
    await items.next();
    await second?.close(0);
    const { thrown } = await collectUntilThrown(items);
    expect(thrown).toMatchObject({ code: "KS_WORKER_LOST" });
  });
});
