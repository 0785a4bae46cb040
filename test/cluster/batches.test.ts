/** Calls of one turn leave in one request. Nobody is to notice, least of all when the node refuses some of them. */
import { Client, type Job, type KitchenError } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Observer, TcpProxy } from "../support/tcp-proxy.ts";

const FUNCTIONS = new URL("./fixtures/functions.ts", import.meta.url).pathname;
const QUEUE_LIMIT = 100;
/** A queue that no node serves. */
const NOBODY = "nobody";

/** Counts the requests that submit jobs. */
class Counter extends TcpProxy {
  submits = 0;

  protected override observe(): Observer {
    return (chunk, isReply) => {
      if (!isReply) this.submits += chunk.toString("latin1").split("POST /v1/jobs ").length - 1;
    };
  }
}

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({
    modules: [FUNCTIONS],
    queueLimit: QUEUE_LIMIT,
    argumentBytes: 20_000,
  });
});
afterAll(() => cluster.close());

async function counted(): Promise<{ c: Client; counter: Counter }> {
  const counter = await new Counter({ port: Number(new URL(cluster.urls[0] ?? "").port) }).open();
  onTestFinished(() => counter.close());
  const c = new Client(`http://127.0.0.1:${counter.port}/`, { token: cluster.token, output: "off" });
  onTestFinished(() => c.close());
  await c.call((value: unknown) => value, 0);
  counter.submits = 0;
  return { c, counter };
}

/** What jobs came to: values, and codes of errors. */
async function endsOf(jobs: readonly Job<unknown>[]): Promise<readonly unknown[]> {
  return await Promise.all(jobs.map((job) => job.catch((error: unknown) => (error as KitchenError).code)));
}

test("a call that is too large is refused alone, whatever its place", async () => {
  const { c, counter } = await counted();
  const jobs = Array.from({ length: 9 }, (_, at) =>
    c.call((value: unknown) => value, [2, 7].includes(at) ? "x".repeat(20_000) : at),
  );
  expect(await endsOf(jobs)).toEqual([0, 1, "KS_TOO_LARGE", 3, 4, 5, 6, "KS_TOO_LARGE", 8]);
  await expect(jobs[2]).rejects.toThrow(/with its arguments it has .* limit is/);
  expect(counter.submits).toBeGreaterThan(1);
});

test("calls keep their order around one that is refused", async () => {
  const { c } = await counted();
  const jobs = Array.from({ length: 10 }, (_, at) =>
    c.call((_large: string) => performance.now(), at === 4 ? "x".repeat(20_000) : ""),
  );
  const times = (await endsOf(jobs)).filter((end) => typeof end === "number");
  expect(times).toHaveLength(9);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test("a full queue refuses no calls for other queues, and takes as many as it has room for", async () => {
  const { c, counter } = await counted();
  const full = c.with({ queue: NOBODY });
  const waiting = Array.from({ length: 300 }, () => full.call(() => 1));
  const others = Array.from({ length: 5 }, (_, at) => c.call(() => at));
  const ends = endsOf(waiting);
  expect(await endsOf(others)).toEqual([0, 1, 2, 3, 4]);
  expect(counter.submits).toBeLessThan(20);
  expect(await c.cancelAll()).toBe(QUEUE_LIMIT);
  const expected = waiting.map((_, at) => (at < QUEUE_LIMIT ? "KS_CANCELLED" : "KS_BUSY"));
  expect(await ends).toEqual(expected);
});

test("a banned namespace refuses no calls in others, and is not asked for each call", async () => {
  const { c, counter } = await counted();
  const banned = c.with({ rpcName: "test" });
  const jobs = Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? banned : c).call(() => at));
  const ends = await endsOf(jobs);
  expect(ends).toEqual(jobs.map((_, at) => (at % 2 === 0 ? "KS_ARBITRARY_BANNED" : at)));
  expect(counter.submits).toBeLessThan(20);
});
