import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { block, noteAndThrow, tellJob, throwUntilAttempt } from "./fixtures/jobs.mjs";
import { temporaryDirectory } from "../support/temporary.ts";
import { STORES, useStore } from "../support/stores.ts";

/** A queue that no node serves. */
const NOBODY = "nobody";

describe.each(STORES)("calls that wait, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 1, graceMs: 100 });
  });
  afterAll(() => cluster.close());

  test("a retry comes after the pause, and other jobs run in it", async () => {
    const ended: string[] = [];
    const begunAtMs = performance.now();
    const retried = cluster.client.with({ retries: 2, retryDelayMs: 400 }).call(throwUntilAttempt, 3);
    const ends = [retried.then((attempt) => ended.push(`attempt ${attempt}`))];
    await expect
      .poll(() => retried.status().catch(() => undefined))
      .toMatchObject({ state: "queued", attempt: 1 });
    ends.push(cluster.client.call(tellJob).then(() => ended.push("another")));
    await Promise.all(ends);
    expect(ended).toEqual(["another", "attempt 3"]);
    expect(performance.now() - begunAtMs).toBeGreaterThan(800);
  });

  test("a job in its pause is cancelled at once", async () => {
    const file = join(temporaryDirectory(), "runs");
    const job = cluster.client.with({ retries: 5, retryDelayMs: 600_000 }).call(noteAndThrow, file);
    const end = expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" });
    await expect
      .poll(() => job.status().catch(() => undefined))
      .toMatchObject({ state: "queued", attempt: 1 });
    await job.cancel();
    await end;
    expect(readFileSync(file, "utf8")).toBe("node1 1\n");
  });

  test("a job for one node has its pause too", async () => {
    const c = cluster.client.with({ node: "node1", retries: 1, retryDelayMs: 50 });
    expect(await c.call(throwUntilAttempt, 2)).toBe(2);
  });

  test("a call that waits longer than it is worth fails, though nobody claims anything", async () => {
    const job = cluster.client.with({ queue: NOBODY, ttlMs: 300 }).call(tellJob);
    await expect(job).rejects.toMatchObject({
      code: "KS_TIMEOUT",
      message: expect.stringMatching(
        /^Cannot run tellJob: it waited longer than its ttlMs of 300 ms in the queue "nobody", and was never begun \(.*ttlMs\)$/,
      ),
    });
    expect(await job.status()).toMatchObject({ state: "failed", attempt: 0 });
  });

  test("many of them that are due at the same time all fail", async () => {
    const c = cluster.client.with({ queue: NOBODY, ttlMs: 200 });
    const ends = await Promise.allSettled(Array.from({ length: 1_200 }, () => c.call(tellJob)));
    expect(
      new Set(ends.map((end) => end.status === "rejected" && (end.reason as { code: string }).code)),
    ).toEqual(new Set(["KS_TIMEOUT"]));
  });

  test("one that was begun before says how often, and is not begun again", async () => {
    const file = join(temporaryDirectory(), "runs");
    const c = cluster.client.with({ retries: 5, retryDelayMs: 600_000, ttlMs: 4_000 });
    await expect(c.call(noteAndThrow, file)).rejects.toMatchObject({
      code: "KS_TIMEOUT",
      message: expect.stringContaining("was over behind 1 attempt that came to nothing"),
    });
    expect(readFileSync(file, "utf8")).toBe("node1 1\n");
  });

  test("one whose worker died before says how, as soon as its time is over", async () => {
    const c = cluster.client.with({ ttlMs: 400 });
    const job = c.call(() => {
      const until = Date.now() + 600;
      while (Date.now() < until);
      process.kill(process.pid, "SIGKILL");
    });
    await expect(job).rejects.toMatchObject({
      code: "KS_TIMEOUT",
      message: expect.stringMatching(
        /ttlMs of 400 ms was over .*Deaths:\n- attempt 1 on node1, after \d+ ms: /s,
      ),
    });
  });

  test("a job that was begun in time may take as long as it likes", async () => {
    const ttlMs = 4_000;
    expect(await cluster.client.with({ ttlMs }).call(block, ttlMs + 300)).toBe(1);
  });

  test("an instant call that waits too long for a worker fails as well", async () => {
    const c = cluster.client.with({ async: false });
    const blocking = c.call(block, 1_500);
    await expect(c.with({ ttlMs: 100 }).call(tellJob)).rejects.toMatchObject({
      code: "KS_TIMEOUT",
      message: expect.stringContaining("ttlMs of 100 ms"),
    });
    await blocking;
  });

  test.each([
    [{ ttlMs: -1 }, "ttlMs"],
    [{ retryDelayMs: 1.5 }, "retryDelayMs"],
  ])("what is no time is refused at once: %j", (wrong, name) => {
    expect(() => cluster.client.with(wrong)).toThrow(`Not a value for ${name}`);
  });
});

describe("calls that wait, on several nodes", () => {
  const options = useStore("redis");

  test("one fails in time also when the node is gone that took it in", async () => {
    await using cluster = await startCluster({ ...options(), nodes: 2, leaseMs: 1_500 });
    const job = cluster.connect(1).with({ queue: NOBODY, ttlMs: 1_000 }).call(tellJob);
    job.catch(() => {});
    await job.status();
    const end = expect(cluster.client.result(job.id)).rejects.toMatchObject({ code: "KS_TIMEOUT" });
    await cluster.nodes[1]!.close(0);
    await end;
  });
});
