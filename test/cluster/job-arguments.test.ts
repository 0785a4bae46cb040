/** Jobs that stand among the arguments of others. */
import type { Client, Job } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORES, useStore } from "../support/stores.ts";
import { untilAborted } from "./fixtures/jobs.mjs";

const running = { state: "running" };
const queued = { state: "queued" };

describe.each(STORES)("a job among arguments, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  let c: Client;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 2 });
    c = cluster.client;
  });
  afterAll(() => cluster.close());

  /** A job that returns when it is cancelled, and one that waits for it. */
  async function waiting(): Promise<readonly [first: Job<void>, second: Job<string>]> {
    const first = c.call(untilAborted);
    const second = c.call((nothing: void) => String(nothing), first);
    await expect.poll(() => first.status()).toMatchObject(running);
    return [first, second];
  }

  test("is its result where the function runs", async () => {
    const first = c.call((n: number) => n + 1, 1);
    const second = c.call((a: number, b: number) => a * b, first, 10);
    expect(await second).toBe(20);
    expect(await first).toBe(2);
  });

  test("stands in arrays, objects, Maps and Sets as well, one in many places as one object", async () => {
    const row = c.call(() => ({ id: 7 }));
    const one = c.call(() => 1);
    interface Held {
      readonly list: readonly { id: number }[];
      readonly map: ReadonlyMap<string, number>;
      readonly set: ReadonlySet<number>;
    }
    const told = await c.call(
      ({ list, map, set }: Held, again: { id: number }) => ({
        ids: list.map(({ id }) => id),
        isOne: list[0] === list[1] && list[0] === again,
        rest: [map.get("one"), [...set]],
      }),
      { list: [row, row, { id: 8 }], map: new Map([["one", one]]), set: new Set([one, 2]) },
      row,
    );
    expect(told).toEqual({ ids: [7, 7, 8], isOne: true, rest: [1, [1, 2]] });
  });

  test("brings classes and functions along that are in its result", async () => {
    class Point {
      readonly x: number;
      constructor(x: number) {
        this.x = x;
      }
      twice(): number {
        return 2 * this.x;
      }
    }
    const point = c.call((x: number) => new Point(x), 21);
    expect(await c.call((given: Point) => given.twice(), point)).toBe(42);
  });

  test("goes with every codec, and may have been made with another one", async () => {
    const first = c.with({ codec: "json" }).call((n: number) => ({ n }), 1);
    const second = c.with({ codec: "structured" }).call(({ n }: { n: number }) => new Set([n]), first);
    const third = c.with({ codec: "json" }).call((set: ReadonlySet<number>) => [...set], second);
    expect(await third).toEqual([1]);
  });

  test("may be over, and of another client", async () => {
    const first = c.call(() => "over");
    await first;
    expect(await c.call((text: string) => text, c.job<string>(first.id))).toBe("over");
  });

  test("may stand among the items of a map", async () => {
    const rows = c.call(() => [1, 2, 3]);
    expect(
      await c.map(
        ([rowList, n]: [number[], number]) => rowList[n],
        [0, 1].map((n) => [rows, n] as const),
      ),
    ).toEqual([1, 2]);
  });

  test("has its call wait on the cluster, in no worker", async () => {
    const [first, second] = await waiting();
    const others = await Promise.all([1, 2, 3].map((n) => c.call((m: number) => m, n)));
    expect(others).toEqual([1, 2, 3]);
    expect(await second.status()).toMatchObject(queued);
    await first.cancel();
    await expect(second).rejects.toMatchObject({ code: "KS_CANCELLED" });
  });

  test("that is cancelled cancels those that wait for it, and theirs, but not the other way round", async () => {
    const [first, second] = await waiting();
    const third = c.call((text: string) => text, second);
    const other = c.call((nothing: void) => nothing, first);
    await other.cancel("not wanted");
    await expect(other).rejects.toMatchObject({ code: "KS_CANCELLED" });
    expect(await first.status()).toMatchObject(running);
    await first.cancel("enough");
    for (const job of [first, second, third])
      await expect(job).rejects.toMatchObject({
        code: "KS_CANCELLED",
        message: expect.stringContaining("enough"),
      });
    expect(await third.status()).toMatchObject({ state: "cancelled", attempt: 0 });
  });

  test("that fails fails those that wait for it with its error, which are not begun", async () => {
    class OutOfStock extends Error {}
    const first = c.call((): number => {
      throw new OutOfStock("no hats");
    });
    const second = c.call((n: number) => n, first);
    const third = c.call((n: number, m: number) => n + m, second, 1);
    for (const job of [first, second, third]) await expect(job).rejects.toBeInstanceOf(OutOfStock);
    await expect(third).rejects.toThrow("no hats");
    expect(await third.status()).toMatchObject({ state: "failed", attempt: 0 });
  });

  test("may be the last of a long chain", async () => {
    let job = c.call((n: number) => n, 0);
    for (let at = 0; at < 50; at += 1) job = c.call((n: number) => n + 1, job);
    expect(await job).toBe(50);
  });

  test("may be one of many for one call, and one for many calls", async () => {
    const one = c.call(() => 1);
    const many = Array.from({ length: 200 }, (_, n) => c.call((a: number, b: number) => a + b, one, n));
    const sum = c.call((all: readonly number[]) => all.reduce((a, b) => a + b, 0), many);
    expect(await sum).toBe((200 * 199) / 2 + 200);
  });

  test("that nobody knows fails the call with a message", async () => {
    const id = "01a21804-f61a-70c9-9a99-073c887e272b";
    const call = c.call((n: number) => n, c.job<number>(id));
    await expect(call).rejects.toMatchObject({
      code: "KS_NO_SUCH_JOB",
      message: expect.stringContaining(id),
    });
  });

  test("whose result is a generator cannot be passed on, which is said", async () => {
    const items = c.call(function* () {
      yield 1;
    });
    const call = c.call((all: unknown) => all, items);
    for await (const item of await items) expect(item).toBe(1);
    await expect(call).rejects.toMatchObject({
      code: "KS_USAGE",
      message: expect.stringContaining("generator"),
    });
  });

  test("is refused by an instant call, and as a captured variable, with the way out", async () => {
    const job = c.call(() => 1);
    expect(() => c.with({ async: false }).call((n: number) => n, job)).toThrow(/await the job first/);
    expect(() => c.call(async () => await job)).toThrow(/Cannot send the Job at .*job.*pass it there/s);
    await job;
  });

  test("has the call wait no longer than its ttlMs", async () => {
    const [first, second] = await waiting();
    const hasty = c.with({ ttlMs: 300 }).call((nothing: void) => nothing, first);
    await expect(hasty).rejects.toMatchObject({ code: "KS_TIMEOUT" });
    await first.cancel();
    await expect(second).rejects.toMatchObject({ code: "KS_CANCELLED" });
  });
});
