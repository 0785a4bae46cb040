import { fileURLToPath } from "node:url";
import { type Client, KitchenError, registerError, RemoteError, type Job } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORES, useStore } from "../support/stores.ts";
import { tellAttempt, tellJob, untilAborted } from "./fixtures/jobs.mjs";
import type api from "./fixtures/functions.ts";

const FUNCTIONS = fileURLToPath(new URL("./fixtures/functions.ts", import.meta.url));

class OutOfStock extends Error {}
registerError(OutOfStock);

describe.each(STORES)("on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  let c: Client;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 2, modules: [FUNCTIONS] });
    c = cluster.client;
  });
  afterAll(() => cluster.close());

  test("a captured function runs in another process and its result comes back", async () => {
    const pid = await c.call(() => process.pid);
    expect(pid).not.toBe(process.pid);
    expect(await c.call((a: number, b: number) => a + b, 1, 2)).toBe(3);
  });

  test("a captured function brings plain data and other functions along, as of the call", async () => {
    const rows = [1, 2, 3];
    const square = (n: number): number => n * n;
    const job = c.call((factor: number) => rows.map((row) => square(row) * factor), 10);
    rows.push(4);
    expect(await job).toEqual([10, 40, 90]);
  });

  test("what a captured function does to what it brought along does not reach the next call", async () => {
    const seen: number[] = [];
    const remember = (n: number): number[] => {
      seen.push(n);
      return seen;
    };
    expect(await Promise.all([1, 2, 3].map((n) => c.call(remember, n)))).toEqual([[1], [2], [3]]);
    expect(seen).toEqual([]);
  });

  test("an async function is awaited where it runs", async () => {
    expect(
      await c.call(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return "done";
      }),
    ).toBe("done");
  });

  test("a registered function is called by its name, in its namespace", async () => {
    expect(await c.call("greet", "Ada")).toBe("Hello, Ada!");
    expect(await c.with({ rpcName: "test" }).call("add", 1, 2)).toBe(3);
  });

  test("registered functions are typed by their module", async () => {
    const t = c.rpc<typeof api>("test");
    const sum: Job<number> = t.add(1, 2);
    expect(await sum).toBe(3);
    expect(await t.weigh(2, 1_000)).toBe(2_000);
    // @ts-expect-error the function takes numbers
    await expect(t.add("1", 2)).resolves.toBe("12");
    // @ts-expect-error there is no such function
    await expect(t.subtract(1, 2)).rejects.toMatchObject({ code: "KS_UNKNOWN_FUNCTION" });
  });

  test("functions() lists names, parameters and doc comments", async () => {
    const functions = await c.functions("test");
    expect(functions.find(({ name }) => name === "add")).toMatchObject({
      namespace: "test",
      name: "add",
      parameters: "a, b = 1",
      doc: "Adds two numbers.",
    });
    expect(functions.find(({ name }) => name === "weigh")?.doc).toBe(
      "Weighs something.\n@param amount how much of it",
    );
    expect((await c.functions()).map(({ name }) => name).toSorted()).toEqual(["double", "greet"]);
    expect((await c.functions()).find(({ name }) => name === "double")?.doc).toBe(
      "A function whose argument is checked.",
    );
    await expect(c.functions("nowhere")).rejects.toMatchObject({ code: "KS_UNKNOWN_FUNCTION" });
  });

  test("a function that is not registered is named, with those that are", async () => {
    const error = await c.call("grete", "Ada").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KitchenError);
    expect(error).toMatchObject({
      code: "KS_UNKNOWN_FUNCTION",
      message: expect.stringContaining('No function "grete"'),
    });
    expect(error).toMatchObject({ message: expect.stringContaining("greet") });
  });

  test("a schema refuses arguments before the function sees them", async () => {
    expect(await c.call("double", 21)).toBe(42);
    await expect(c.call("double", "x")).rejects.toMatchObject({
      code: "KS_INVALID_ARGUMENTS",
      message: "The arguments do not fit: n: expected a number",
    });
  });

  test("an error of a class that is registered here arrives as that class", async () => {
    const error = await c
      .rpc<typeof api>("test")
      .buy("hats")
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OutOfStock);
    expect(error).toMatchObject({ name: "OutOfStock", message: "no more hats", left: 0 });
  });

  test("an error of another class arrives as RemoteError, with its name and properties", async () => {
    const error = await c
      .rpc<typeof api>("test")
      .lookUp("nobody")
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ name: "NotFound", message: "no nobody", key: "nobody" });
    expect((error as Error).cause).toBeInstanceOf(RangeError);
  });

  test("an instant call gives the same, and leaves no record", async () => {
    const fast = c.with({ async: false });
    expect(await fast.call((a: number, b: number) => a + b, 1, 2)).toBe(3);
    expect(await fast.call("greet", "Bob")).toBe("Hello, Bob!");
    expect(await fast.call(() => process.pid)).not.toBe(process.pid);
    const job = fast.call(() => 1);
    await job;
    await expect(job.status()).rejects.toMatchObject({ code: "KS_NO_SUCH_JOB" });
  });

  test("a job is found by its id from another client: result, status and output", async () => {
    const job = c.call(function work() {
      console.log("working");
      return { rows: 3 };
    });
    await job;
    const other = cluster.connect();
    expect(await other.result(job.id)).toEqual({ rows: 3 });
    expect(await other.job(job.id).status()).toMatchObject({
      id: job.id,
      state: "succeeded",
      label: "work",
      attempt: 1,
    });
    const lines: string[] = [];
    for await (const { stream, text } of other.job(job.id).output()) lines.push(`${stream} ${text}`);
    expect(lines).toEqual(["stdout working\n"]);
  });

  test("a job that is not known is said to be unknown", async () => {
    const id = "01890000-0000-7000-8000-000000000000";
    await expect(c.result(id)).rejects.toMatchObject({ code: "KS_NO_SUCH_JOB" });
    await expect(c.job(id).status()).rejects.toMatchObject({ code: "KS_NO_SUCH_JOB" });
    expect(() => c.job("nonsense")).toThrow(/Not a job id/);
  });

  test("jobs that are cancelled while a node is about to learn of them keep no worker", async () => {
    for (let round = 0; round < 25; round++) {
      const jobs = [1, 2, 3].map(() => c.call(untilAborted));
      const ended = Promise.allSettled(jobs);
      await Promise.all(jobs.map((job) => job.cancel()));
      for (const { status } of await ended) expect(status).toBe("rejected");
      expect(await c.call((n: number) => n, round)).toBe(round);
    }
  });

  test("a thousand calls of which every third throws give the right errors, none lost, none twice", async () => {
    const work = async (n: number): Promise<number> => {
      await null;
      if (n % 3 === 0) throw new RangeError(`no ${n}`);
      return n;
    };
    const results = await Promise.allSettled(Array.from({ length: 1_000 }, (_, n) => c.call(work, n)));
    results.forEach((result, n) => {
      if (n % 3 !== 0) return expect(result).toEqual({ status: "fulfilled", value: n });
      expect(result).toMatchObject({ status: "rejected", reason: { message: `no ${n}` } });
      expect((result as PromiseRejectedResult).reason).toBeInstanceOf(RangeError);
    });
  });

  test("a job with a higher priority runs first", async () => {
    const order: string[] = [];
    const one = await startCluster({ ...options(), numWorkers: 1 });
    try {
      const blocker = one.client.call(() => new Promise((resolve) => setTimeout(resolve, 200)));
      const low = one.client.with({ priority: -1 }).call(() => "low");
      const high = one.client.with({ priority: 1 }).call(() => "high");
      await Promise.all([
        blocker,
        low.then((name) => order.push(name)),
        high.then((name) => order.push(name)),
      ]);
      expect(order).toEqual(["high", "low"]);
    } finally {
      await one.close();
    }
  });

  test("a job for a queue that nobody serves waits, and can be cancelled", async () => {
    const job = c.with({ queue: "gpu" }).call(() => 1);
    const waiting = expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" });
    await expect
      .poll(() => job.status().catch(() => undefined))
      .toMatchObject({ state: "queued", queue: "gpu" });
    await job.cancel("not today");
    await waiting;
    expect(await job.status()).toMatchObject({ state: "cancelled" });
  });

  test("a job for one node runs there", async () => {
    expect(await c.with({ node: "node1" }).call(() => "here")).toBe("here");
  });

  test("a function learns of its job through currentJob()", async () => {
    const job = c.call(tellJob);
    const node = { name: "node1", url: cluster.urls[0] };
    expect(await job).toEqual({ id: job.id, attempt: 1, node, isAborted: false });
    expect(await c.call(tellAttempt)).toBe(1);
  });

  test("import() works in a captured function, also where a test runner rewrites it", async () => {
    const imported = c.call(async () => {
      const { basename } = await import("node:path");
      return basename("/a/b");
    });
    expect(await imported).toBe("b");
  });

  test("nodes() tells of the node and its workers", async () => {
    expect(await c.nodes()).toMatchObject([
      {
        name: "node1",
        url: cluster.urls[0],
        workers: 2,
        queues: ["default"],
        startFailures: 0,
      },
    ]);
  });
});
