import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asCompleted, type Client, type Job } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { STORES, useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { countIn, failUnless, printAndWait, untilAborted } from "./fixtures/futures.mjs";

describe.each(STORES)("jobs as futures, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  let c: Client;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 2 });
    c = cluster.client;
  });
  afterAll(() => cluster.close());
  const fresh = (): string => join(temporaryDirectory(), "file");

  describe("gather", () => {
    test("gives results in the places of jobs, however deep, and all else as it is", async () => {
      const one = c.call(() => 1);
      const gathered = await c.gather({
        list: [one, c.call(() => "two"), "three"],
        map: new Map([["deep", { one }]]),
        kept: new Date(0),
      });
      expect(gathered).toEqual({
        list: [1, "two", "three"],
        map: new Map([["deep", { one: 1 }]]),
        kept: new Date(0),
      });
      expectTypeOf(await c.gather([one, c.call(() => "two")])).toEqualTypeOf<[number, string]>();
    });

    test("throws what the first one throws that fails, and the others go on", async () => {
      const file = fresh();
      const slow = c.call(failUnless, file);
      const quick = c.call((): number => {
        throw new RangeError("quick");
      });
      await expect(c.gather([slow, quick])).rejects.toThrow("quick");
      writeFileSync(file, "");
      expect(await slow).toBe("there");
    });
  });

  describe("asCompleted", () => {
    test("gives jobs as they end, with their places, also those that fail", async () => {
      const file = fresh();
      const jobs: Job<unknown>[] = [
        c.call(failUnless, file),
        c.call(() => {
          throw new RangeError("no");
        }),
      ];
      const seen: unknown[] = [];
      for await (const completed of asCompleted(jobs)) {
        const { job, index, status } = completed;
        seen.push([index, status, status === "fulfilled" ? completed.value : String(completed.reason)]);
        expect(job).toBe(jobs[index]);
        writeFileSync(file, "");
      }
      expect(seen).toEqual([
        [1, "rejected", "RangeError: no"],
        [0, "fulfilled", "there"],
      ]);
    });

    test("what is no job is refused, with its place", async () => {
      const values = [c.call(() => 1), Promise.resolve(2)] as unknown as Job<number>[];
      await expect(asCompleted(values).next()).rejects.toMatchObject({
        code: "KS_USAGE",
        message: expect.stringMatching(/^Cannot wait for item 1 of asCompleted: it is no job, but Promise/),
      });
    });

    test("of no jobs ends at once, and one may stop to listen", async () => {
      for await (const _ of asCompleted([])) expect.unreachable();
      for await (const { status } of asCompleted([c.call(() => 1), c.call(() => 2)])) {
        expect(status).toBe("fulfilled");
        break;
      }
    });
  });

  describe("detach", () => {
    test("lets a job go on that nobody waits for here, and gives its id once the cluster has it", async () => {
      const file = fresh();
      const printed: string[] = [];
      const sink = { write: (bytes: Uint8Array) => void printed.push(Buffer.from(bytes).toString()) };
      const job = c.with({ output: { stdout: sink, stderr: sink } }).call(printAndWait, file);
      const id = await job.detach();
      expect(id).toBe(job.id);
      writeFileSync(file, "");
      expect(await c.with({ output: "off" }).result(id)).toBe("printed");
      expect(printed.join("")).not.toContain("after");
    });

    test("a job that is awaited after all is listened to anew, and one that was awaited before says so", async () => {
      const file = fresh();
      const job = c.with({ output: "off" }).call(failUnless, file);
      const message = expect.stringContaining(job.id);
      const before = expect(job).rejects.toMatchObject({ code: "KS_USAGE", message });
      await job.detach();
      await before;
      const after = Promise.resolve(job);
      writeFileSync(file, "");
      expect(await after).toBe("there");
    });

    test("throws what stands in the way of the call, and is not for instant calls", async () => {
      const nobody = c.with({ queue: "default", output: "off", rpcName: "none" });
      await expect(
        nobody
          .with({ async: false })
          .call(() => 1)
          .detach(),
      ).rejects.toMatchObject({ code: "KS_USAGE" });
    });
  });

  describe("memoize", () => {
    const memo = (): Client => c.with({ memoize: true });

    test("the same call has the result of the first, here and in other clients, and runs once", async () => {
      const file = fresh();
      const jobs = [memo().call(countIn, file, 1), memo().call(countIn, file, 1)];
      expect(await Promise.all(jobs)).toEqual([1, 1]);
      expect(await memo().call(countIn, file, 1)).toBe(1);
      expect(await cluster.connect().with({ memoize: true, output: "off" }).call(countIn, file, 1)).toBe(1);
      expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
      expect(readFileSync(file, "utf8")).toBe(".");
    });

    test("other arguments, other captured values and calls that are not memoized are other calls", async () => {
      const file = fresh();
      expect(await memo().call(countIn, file, 1)).toBe(1);
      expect(await memo().call(countIn, file, 2)).toBe(2);
      expect(await c.call(countIn, file, 1)).toBe(3);
      const captured = (factor: number) => memo().call(() => factor * 2);
      expect(await Promise.all([captured(1), captured(2)])).toEqual([2, 4]);
    });

    test("a call that failed is made again", async () => {
      const file = fresh();
      const call = () => memo().call(failUnless, file, 1);
      await expect(call()).rejects.toThrow("not there");
      await expect(call()).rejects.toThrow("not there");
      writeFileSync(file, "");
      expect(await call()).toBe("there");
      expect(await call()).toBe("there");
    });

    test("a call that was cancelled is made again", async () => {
      const file = fresh();
      const first = memo().call(untilAborted, file);
      await expect.poll(() => existsSync(file)).toBe(true);
      await first.cancel();
      await expect(first).rejects.toMatchObject({ code: "KS_CANCELLED" });
      const second = memo().call(untilAborted, file);
      await expect.poll(() => second.status()).toMatchObject({ state: "running" });
      await second.cancel();
      await expect(second).rejects.toMatchObject({ code: "KS_CANCELLED" });
    });
  });
});
