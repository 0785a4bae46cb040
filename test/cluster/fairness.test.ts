import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORES, useStore } from "../support/stores.ts";
import { mayTakeLong } from "./fixtures/jobs.mjs";

const many = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

describe.each(STORES)("on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 2 });
  });
  afterAll(() => cluster.close());

  test("calls do not wait behind one that was taken for as short as they are", async () => {
    const c = cluster.client;
    await Promise.all(many(500, () => c.call(mayTakeLong, false)));
    const short = many(100, () => c.call(mayTakeLong, false));
    const long = c.call(mayTakeLong, true);
    short.push(...many(100, () => c.call(mayTakeLong, false)));
    expect(new Set(await Promise.all(short))).toEqual(new Set([false]));
    await long.cancel();
    await expect(long).rejects.toMatchObject({ code: "KS_CANCELLED" });
  });

  test("a long call has its turn among thousands of short ones, which do not wait for it", async () => {
    const c = cluster.client;
    const ended: string[] = [];
    const note = (what: string) => (): number => ended.push(what);
    const long = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));
    const short = (n: number): number => n;
    const before = many(1_000, (n) => c.call(short, n).then(note("short")));
    const between = c.call(long).then(note("long"));
    const after = many(4_000, (n) => c.call(short, n).then(note("short")));
    await Promise.all([...before, between, ...after]);
    const place = ended.indexOf("long");
    expect(place).toBeGreaterThan(900);
    expect(place).toBeLessThan(ended.length);
  });
});
