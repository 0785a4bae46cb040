import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { throwUntilAttempt, untilAborted } from "./fixtures/jobs.mjs";
import { STORES, useStore } from "../support/stores.ts";

describe.each(STORES)("jobs that are stopped or lost, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 1, graceMs: 100 });
  });
  afterAll(() => cluster.close());

  const running = { state: "running" };

  test("cancel aborts the function's signal, and the caller gets KS_CANCELLED", async () => {
    const job = cluster.client.call(untilAborted);
    const end = expect(job).rejects.toMatchObject({
      code: "KS_CANCELLED",
      message: expect.stringContaining("enough"),
    });
    await expect.poll(() => job.status().catch(() => undefined)).toMatchObject(running);
    await job.cancel("enough");
    await end;
    expect(await cluster.client.call(() => "next")).toBe("next");
  });

  test("a function that does not listen is killed after the grace, and the next job gets a fresh worker", async () => {
    const pid = await cluster.client.call(() => process.pid);
    const job = cluster.client.call(() => {
      for (;;);
    });
    const end = expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" });
    await expect.poll(() => job.status().catch(() => undefined)).toMatchObject(running);
    await job.cancel();
    await end;
    expect(await cluster.client.call(() => process.pid)).not.toBe(pid);
  });

  test("a deadline ends a function, also one that blocks its thread", async () => {
    const c = cluster.client.with({ timeoutMs: 50 });
    await expect(c.call(() => new Promise(() => {}))).rejects.toMatchObject({ code: "KS_TIMEOUT" });
    await expect(
      c.call(() => {
        for (;;);
      }),
    ).rejects.toMatchObject({ code: "KS_TIMEOUT", message: expect.stringContaining("50 ms") });
    expect(await cluster.client.call(() => "next")).toBe("next");
  });

  test("retries follow an attempt that throws, as many as asked for", async () => {
    expect(await cluster.client.with({ retries: 2 }).call(throwUntilAttempt, 3)).toBe(3);
    await expect(cluster.client.with({ retries: 1 }).call(throwUntilAttempt, 3)).rejects.toThrow("attempt 2");
  });

  test("cancelAll ends what waits and what runs", async () => {
    const jobs = Array.from({ length: 3 }, () => cluster.client.call(() => new Promise(() => {})));
    const ends = Promise.all(jobs.map((job) => expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" })));
    await expect.poll(() => jobs[0]?.status().catch(() => undefined)).toMatchObject(running);
    await expect.poll(() => jobs[2]?.status().catch(() => undefined)).toMatchObject({ state: "queued" });
    expect(await cluster.client.cancelAll("cleaning up")).toBe(3);
    await ends;
  });

  test("an instant call is cancelled by its caller", async () => {
    const job = cluster.client.with({ async: false }).call(() => new Promise(() => {}));
    const end = expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" });
    await job.cancel("changed my mind");
    await end;
    expect(await cluster.client.with({ async: false }).call(() => "free")).toBe("free");
  });
});
