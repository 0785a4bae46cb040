import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORES, useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { reportAndBlock, reportAndWait, reportWrongly } from "./fixtures/progress.mjs";

describe.each(STORES)("progress, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  let c: Client;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 2 });
    c = cluster.client.with({ output: "off" });
  });
  afterAll(() => cluster.close());
  const fresh = (): string => join(temporaryDirectory(), "file");

  test("is what the job said last, while it runs", async () => {
    const file = fresh();
    const job = c.call(reportAndWait, file);
    await expect
      .poll(async () => (await job.status()).progress)
      .toEqual({ done: 2, total: 3, label: "rows" });
    writeFileSync(file, "");
    await job;
    expect((await job.status()).progress).toBeUndefined();
  });

  test("is told also by a function that keeps its thread busy", async () => {
    const file = fresh();
    const job = c.call(reportAndBlock, file);
    await expect.poll(async () => (await job.status()).progress).toMatchObject({ total: null, label: "" });
    writeFileSync(file, "");
    expect(await job).toBe("done");
  });

  test("that is none is refused where it is said", async () => {
    await expect(c.call(reportWrongly, -1)).rejects.toMatchObject({
      code: "KS_USAGE",
      message: expect.stringContaining("done is -1"),
    });
    await expect(c.call(reportWrongly, 1, Number.NaN)).rejects.toMatchObject({ code: "KS_USAGE" });
  });
});
