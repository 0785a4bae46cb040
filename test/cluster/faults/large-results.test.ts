/** Results and arguments that are too large for the store. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { RemoteData } from "kitchensink";
import { nodeProcesses } from "../../support/node-processes.ts";
import { STORES, useStore } from "../../support/stores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import * as large from "./fixtures/large.mjs";

const LIMIT = 10_000;
const LARGE = 50_000;

describe.each(STORES)("results over the limit, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  let directory = "";
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "kitchensink-test-"));
    const limits = { argumentBytes: LIMIT, inlineResultBytes: LIMIT };
    cluster = await startCluster({
      ...options(),
      ...limits,
      graceMs: 100,
      node: () => ({ dataDirectory: directory }),
    });
  });
  afterAll(async () => {
    await cluster.close();
    rmSync(directory, { recursive: true });
  });
  const fileOf = (id: string, attempt = 1): string =>
    join(directory, "kitchensink/results", id, String(attempt));
  const incoming = (): string[] => readdirSync(join(directory, ".kitchensink/incoming"));
  const authorization = (): Record<string, string> => ({ authorization: `Bearer ${cluster.token}` });

  test("a large result is a file of the node, and arrives as any other, as often as it is asked for", async () => {
    const job = cluster.client.call(large.bytes, LARGE);
    expect(await job).toEqual(Buffer.alloc(LARGE, 7));
    expect(existsSync(fileOf(job.id))).toBe(true);
    expect(await cluster.client.result<Buffer>(job.id)).toHaveLength(LARGE);
    expect(await cluster.connect().result<Buffer>(job.id)).toHaveLength(LARGE);
    const small = cluster.client.call(large.bytes, 100);
    expect(await small).toHaveLength(100);
    expect(existsSync(fileOf(small.id))).toBe(false);
  });

  test("what a generator returns may be as large", async () => {
    const items = await cluster.client.call(large.thenReturn, LARGE);
    expect(await items.next()).toEqual({ value: 1, done: false });
    expect(await items.next()).toEqual({ value: Buffer.alloc(LARGE, 3), done: true });
  });

  test("over HTTP, a large JSON result is told by its address", async () => {
    const job = cluster.client.with({ codec: "json" }).call((count: number) => "x".repeat(count), LARGE);
    await job;
    const url = cluster.urls[0] ?? "";
    const answer = await fetch(`${url}v1/jobs/${job.id}`, { headers: authorization() });
    const { resultUrl, ...told } = (await answer.json()) as { resultUrl: string };
    expect(told).toMatchObject({ state: "succeeded", resultCodec: "json", resultBytes: LARGE + 2 });
    const result = await fetch(new URL(resultUrl, url), { headers: authorization() });
    expect(await result.json()).toBe("x".repeat(LARGE));
  });

  test("searches list results only when the pattern names where they are", async () => {
    const { client } = cluster;
    const job = client.call(large.bytes, LARGE);
    await job;
    await new RemoteData({ obj: 1, client }).save({ url: `mine/${store}` });
    expect(await client.data.search("**")).toEqual([`mine/${store}`]);
    expect(await client.data.search("kitchensink/results/**")).toContain(`kitchensink/results/${job.id}/1`);
  });

  test.each([
    "kitchensink",
    "kitchensink/results",
    "kitchensink/results/mine",
    "kitchensink/results/01930000-0000-7000-8000-000000000000/1",
  ])("nobody else saves under %s", async (url) => {
    const saved = new RemoteData({ obj: 1, client: cluster.client }).save({ url });
    await expect(saved).rejects.toMatchObject({
      code: "KS_BAD_REQUEST",
      message: expect.stringContaining("is for results of jobs"),
    });
  });

  test("nobody adopts a file that lies there", async () => {
    mkdirSync(join(directory, "kitchensink/results"), { recursive: true });
    writeFileSync(join(directory, "kitchensink/results/mine"), "1");
    const { adopted, refused } = await cluster.client.data.adopt("kitchensink/**");
    expect(adopted).toEqual([]);
    expect(refused).toContainEqual({
      path: "kitchensink/results/mine",
      reason: "kitchensink/results is for results of jobs",
    });
  });

  test("fault 2: a worker is killed when the result is a file, and not committed: it runs again, and one result is left", async () => {
    const job = cluster.client.call(large.dieBehindResult, LARGE);
    expect(await job).toEqual(Buffer.alloc(LARGE, 2));
    expect(await job.status()).toMatchObject({ attempt: 2, deaths: 1 });
    await expect.poll(() => existsSync(fileOf(job.id, 1))).toBe(false);
    expect(existsSync(fileOf(job.id, 2))).toBe(true);
    expect(await cluster.client.data.search(`kitchensink/results/${job.id}/*`)).toEqual([
      `kitchensink/results/${job.id}/2`,
    ]);
  });

  test("fault 2: a worker is killed while it writes the file: nothing of it is left", async () => {
    const folder = join(directory, ".kitchensink/incoming");
    const count = 100_000_000;
    const job = cluster.client.call(large.dieInResult, count, folder);
    expect((await job).subarray(0, 2)).toEqual(Buffer.from([2, 2]));
    expect(await job.status()).toMatchObject({ attempt: 2, deaths: 1 });
    await expect.poll(incoming).toEqual([]);
    expect(existsSync(fileOf(job.id, 1))).toBe(false);
  });

  test("a job that is cancelled leaves no result", async () => {
    const job = cluster.client.call(large.saveAndWait);
    await expect.poll(() => existsSync(fileOf(job.id))).toBe(true);
    await job.cancel();
    await expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" });
    await expect.poll(() => existsSync(fileOf(job.id))).toBe(false);
  });

  test("an instant call's result goes to who waits for it, and is stored nowhere", async () => {
    const job = cluster.client.with({ async: false }).call(large.bytes, LARGE);
    expect(await job).toHaveLength(LARGE);
    expect(existsSync(fileOf(job.id))).toBe(false);
  });

  test("fault 21: arguments over the limit are refused before anything is queued; what came along is sent again", async () => {
    const { client } = cluster;
    const other = client.call(large.bytes, 1);
    const job = client.call((text: string) => text.length, "x".repeat(LIMIT));
    await expect(job).rejects.toMatchObject({
      code: "KS_TOO_LARGE",
      message: expect.stringMatching(/has 10\.\d kB|has 1\d kB.*limit is 10 kB.*RemoteData/),
    });
    await expect(client.job(job.id).status()).rejects.toMatchObject({ code: "KS_NO_SUCH_JOB" });
    expect(await other).toHaveLength(1);
    for (const prefer of ["respond-async", ""]) {
      const answer = await fetch(new URL("/rpc/default/f", cluster.urls[0]), {
        method: "POST",
        headers: { ...authorization(), prefer, "content-type": "application/json" },
        body: JSON.stringify(["x".repeat(LIMIT)]),
      });
      expect(answer.status).toBe(413);
      expect(await answer.json()).toMatchObject({ code: "KS_TOO_LARGE" });
    }
  });
});

describe("where a large result is kept", () => {
  const redis = useStore("redis");

  test("a read-only node has another one keep it; with none that takes data the job fails, and says why", async () => {
    const settings = { ...redis(), inlineResultBytes: LIMIT };
    const cluster = await startCluster({ ...settings, nodes: 1, node: () => ({ readOnly: true }) });
    onTestFinished(() => cluster.close());
    const client = cluster.client.with({ node: "node1" });
    await expect(client.call(large.bytes, LARGE)).rejects.toMatchObject({
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringMatching(/Cannot keep the result of 50 kB: .*read-only/),
    });
    const dataDirectory = join(temporaryDirectory(), "data");
    await cluster.addNode({ dataDirectory });
    const job = client.call(large.bytes, LARGE);
    expect(await job).toHaveLength(LARGE);
    expect(existsSync(join(dataDirectory, "kitchensink/results", job.id, "1"))).toBe(true);
  });

  test(
    "fault 20: a result of 1 GB is a file; the memory of node and Redis stays bounded",
    { timeout: 120_000 },
    async () => {
      const place = nodeProcesses(redis().redisConnection ?? "");
      const node = await place.start("node1", ["--cluster", "large"]);
      const client = place.connect(node);
      expect(await client.call(large.bytes, 1)).toHaveLength(1);
      const count = 1_000_000_000;
      const result = await client.call(large.bytes, count, 9);
      expect(result).toHaveLength(count);
      expect([result[0], result[count / 2], result[count - 1]]).toEqual([9, 9, 9]);
      const [, peakKB] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${node.pid}/status`, "utf8")) ?? [];
      expect(Number(peakKB)).toBeLessThan(400_000);
      const raw = new Redis(
        (redis().redisConnection ?? "").replace("tcp:", "redis:").replace(/\?db=(\d+)/, "/$1"),
      );
      onTestFinished(() => raw.disconnect());
      const [, peakBytes] = /used_memory_peak:(\d+)/.exec(await raw.info("memory")) ?? [];
      expect(Number(peakBytes)).toBeLessThan(100_000_000);
    },
  );
});
