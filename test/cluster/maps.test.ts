import { createContext, runInContext } from "node:vm";
import type { Client } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { STORES, useStore } from "../support/stores.ts";
import { untilAborted } from "./fixtures/jobs.mjs";

describe.each(STORES)("maps, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  let c: Client;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 2 });
    c = cluster.client;
  });
  afterAll(() => cluster.close());

  test("map gives results in order, or as they come", async () => {
    const slowFirst = async (n: number): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, n === 0 ? 300 : 1));
      return n * n;
    };
    expect(await c.map(slowFirst, [0, 1, 2, 3])).toEqual([0, 1, 4, 9]);
    const seen: number[] = [];
    for await (const square of c.map(slowFirst, [0, 1, 2, 3])) seen.push(square);
    expect(seen.toSorted()).toEqual([0, 1, 4, 9]);
    expect(seen.at(-1)).toBe(0);
  });

  test("map captures its function once, before it takes items", async () => {
    let factor = 1;
    function* items(): Generator<number> {
      factor = 10;
      yield* [1, 2];
    }
    expect(await c.map((n) => n * factor, items())).toEqual([1, 2]);
    expect(factor).toBe(10);
  });

  test("map takes items as there is room for them, of iterables without end too", async () => {
    let taken = 0;
    const isClosed = { sync: false, async: false };
    function* numbers(): Generator<number> {
      try {
        for (;;) yield taken++;
      } finally {
        isClosed.sync = true;
      }
    }
    async function* later(): AsyncGenerator<number> {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        isClosed.async = true;
      }
    }
    let given = 0;
    for await (const _ of c.map((n: number) => n, numbers())) if (++given === 2_000) break;
    expect(taken).toBeLessThanOrEqual(12_000);
    const few = new Set<number>();
    for await (const n of c.map((x: number) => x, later())) if (few.add(n).size === 200) break;
    expect(Math.max(...few)).toBeLessThan(10_000);
    expect(isClosed).toEqual({ sync: true, async: true });
  });

  test("a map that fails makes no more calls, and rejects with what the call threw", async () => {
    let taken = 0;
    function* numbers(): Generator<number> {
      for (;;) yield taken++;
    }
    const work = (n: number): number => {
      if (n === 5) throw new RangeError("five");
      return n;
    };
    await expect(c.map(work, numbers())).rejects.toThrow(/five/);
    const before = taken;
    await c.call(work, 1);
    expect(taken).toBe(before);
    const wrong = c.map(
      work,
      (function* () {
        yield 1;
        throw new TypeError("no more");
      })(),
    );
    await expect(wrong).rejects.toThrow(/no more/);
  });

  test("a map whose results were iterated over has none left, and says so", async () => {
    const map = c.map((n: number) => n, [1, 2]);
    for await (const _ of map);
    await expect(map).rejects.toMatchObject({ code: "KS_USAGE", message: expect.stringContaining("twice") });
    const awaited = c.map((n: number) => n, [1, 2]);
    expect(await awaited).toEqual([1, 2]);
    expect(await awaited).toEqual([1, 2]);
    const again: number[] = [];
    for await (const n of awaited) again.push(n);
    expect(again).toEqual([1, 2]);
  });

  test("a cancelled map makes no more calls, and those under way are cancelled", async () => {
    const map = c.map(
      untilAborted,
      (function* () {
        for (;;) yield 1;
      })(),
    );
    const ended = expect(map).rejects.toMatchObject({ code: "KS_CANCELLED" });
    await map.cancel("enough");
    await ended;
  });

  test("items of an async generator of another vm context are awaited like any other", async () => {
    const numbers = runInContext("(async function* () { yield* [1, 2, 3]; })()", createContext());
    const squares = c.map((n: number) => n * n, numbers as AsyncIterable<number>);
    try {
      expect(await squares).toEqual([1, 4, 9]);
    } finally {
      await squares.cancel();
    }
  });

  test("items of an async iterator that gives thenables are awaited too", async () => {
    const left = [1, 2, 3];
    const next = (): PromiseLike<IteratorResult<number>> => {
      const value = left.shift();
      const result = value === undefined ? { done: true as const, value } : { done: false as const, value };
      // oxlint-disable-next-line unicorn/no-thenable -- it is what such iterators give
      return { then: (onValue) => Promise.resolve(onValue?.(result) as never) };
    };
    const items = { [Symbol.asyncIterator]: () => ({ next }) } as unknown as AsyncIterable<number>;
    const squares = c.map((n: number) => n * n, items);
    try {
      expect(await squares).toEqual([1, 4, 9]);
    } finally {
      await squares.cancel();
    }
  });

  test("who waits for a map hears of its cancellation, also while it waits for an item", async () => {
    const awaited = c.map((n: number) => n, held());
    const ended = expect(awaited).rejects.toMatchObject({
      code: "KS_CANCELLED",
      message: expect.stringContaining("enough"),
    });
    await awaited.cancel("enough");
    await ended;
    const iterated = c.map((n: number) => n, held(1));
    const seen: number[] = [];
    const over = (async () => {
      for await (const n of iterated) {
        seen.push(n);
        setImmediate(() => void iterated.cancel());
      }
    })();
    await expect(over).rejects.toMatchObject({ code: "KS_CANCELLED" });
    expect(seen).toEqual([1]);
  });

  test("a map that has all its results keeps them, whatever is cancelled then", async () => {
    const map = c.map((n: number) => n, [1, 2]);
    expect(await map).toEqual([1, 2]);
    await map.cancel("too late");
    expect(await map).toEqual([1, 2]);
  });

  test("the bar of a map ends with it: cancelled, or left while none of its calls runs", async () => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const said = (): string => write.mock.calls.map(([text]) => String(text)).join("");
    try {
      const cancelled = c.with({ progress: "cancelled" }).map((n: number) => n, held());
      await cancelled.cancel();
      await expect.poll(said).toContain("cancelled  0");
      const left = c.with({ progress: "left" }).map((n: number) => n, held(1));
      for await (const _ of left) break;
      await expect.poll(said).toContain("left  1");
    } finally {
      write.mockRestore();
    }
  });
});

/** Items, and then one that never comes. */
async function* held(...first: readonly number[]): AsyncGenerator<number> {
  yield* first;
  await new Promise(() => {});
}
