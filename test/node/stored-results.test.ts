import { existsSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import type { JobId } from "../../src/core/ids.ts";
import { parseDataUrl } from "../../src/core/data-url.ts";
import { isReserved, parseResultUrl, resultUrl } from "../../src/core/result-url.ts";
import { DataDirectory } from "../../src/data/directory.ts";
import { writePart } from "../../src/data/write-part.ts";
import { StoredResults } from "../../src/node/data/stored-results.ts";
import { openMemoryStore } from "../../src/store/memory/store.ts";
import { bytes, claim, DEFAULTS, N1, newId, newJob, register, submit } from "../store/support/harness.ts";
import { temporaryDirectory } from "../support/temporary.ts";

test("results that no record refers to are removed, from the disk and from the catalog; the others stay", async () => {
  const store = openMemoryStore({ cluster: "test", ...DEFAULTS });
  const directory = await DataDirectory.open({ path: temporaryDirectory(), cluster: "test", warn: () => {} });
  onTestFinished(async () => {
    await directory.close();
    await store.close();
  });
  await register(store, N1);
  const keep = async (id: JobId, attempt: number): Promise<string> => {
    const url = resultUrl(id, attempt);
    const part = await directory.beginLocal();
    const written = await writePart(part.path, Buffer.from(url));
    await directory.finishLocal(part.id, { url, ...written, codec: "json", type: "object" });
    await store.addReplicas(N1, [{ url, ...written, codec: "json", type: "object", createdAtMs: 1 }]);
    return url;
  };
  const running = async (): Promise<JobId> => {
    const job = newJob();
    await submit(store, job);
    await claim(store, N1);
    return job.id;
  };
  const end = async (next: "succeeded" | "failed"): Promise<JobId> => {
    const id = await running();
    await store.finish(N1, [{ id, attempt: 1, next, outcome: bytes("") }]);
    return id;
  };
  const [runs, succeeded, failed, unknown] = [
    await running(),
    await end("succeeded"),
    await end("failed"),
    newId(),
  ];
  const requeued = newJob({ queue: "later" });
  await submit(store, requeued);
  await claim(store, N1, { queues: ["later"] });
  await store.finish(N1, [{ id: requeued.id, attempt: 1, next: "queued", deaths: 1, throws: 0 }]);
  const used = [await keep(runs, 1), await keep(succeeded, 1)];
  const useless = [
    await keep(runs, 2),
    await keep(succeeded, 2),
    await keep(failed, 1),
    await keep(unknown, 1),
    await keep(requeued.id, 1),
  ];
  const results = new StoredResults({ node: N1, directory, store, warn: () => {} });
  await results.tidy();
  expect(used.map((url) => existsSync(directory.pathOf(parseDataUrl(url))))).toEqual([true, true]);
  expect(useless.filter((url) => existsSync(directory.pathOf(parseDataUrl(url))))).toEqual([]);
  const listed = await store.listData({ prefix: "", after: "", limit: 100 });
  expect(listed).toEqual(used.toSorted());
});

test("which urls are reserved", () => {
  const id = newId();
  expect(parseResultUrl(resultUrl(id, 3))).toEqual({ id, attempt: 3 });
  for (const url of [
    `kitchensink/results/${id}`,
    `kitchensink/results/${id}/0`,
    `kitchensink/results/${id}/1/2`,
  ])
    expect(parseResultUrl(parseDataUrl(url))).toBeUndefined();
  for (const url of ["kitchensink", "kitchensink/results", resultUrl(id, 1)])
    expect(isReserved(url)).toBe(true);
  for (const url of ["kitchensink/result", "kitchensink2", "kitchensink/other", "results"])
    expect(isReserved(url)).toBe(false);
});
