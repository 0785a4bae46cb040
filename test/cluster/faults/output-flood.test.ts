/** Jobs that print more than anybody reads. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { Writable } from "node:stream";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Client, type Job } from "kitchensink";
import { startNodeProcess, type NodeProcess } from "../../support/cli.ts";
import { STORES, useStore } from "../../support/stores.ts";
import { print } from "./fixtures/flood.mjs";

async function printedBy(job: Job<unknown>): Promise<string> {
  let printed = "";
  for await (const { text } of job.output()) printed += text;
  return printed;
}

describe("1 GB of output and the node's memory", () => {
  /** The most that a process has had in memory, in MB. */
  const peakMB = ({ child }: NodeProcess): number => {
    const [, kB] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
    return Number(kB) / 1_000;
  };

  test.skipIf(process.platform !== "linux")(
    "fault 37: stays bounded, whether somebody reads it or nobody does; the log is cut at its limit, and says so",
    { timeout: 120_000 },
    async () => {
      const node = await startNodeProcess(["--embedded", "--job-output-limit", "1MB"]);
      const client = new Client(node.url, { token: node.token, output: "off" });
      onTestFinished(() => client.close());
      const unread = client.call(print, 1_000);
      expect(await unread).toBe(1_000);
      let read = 0;
      const stdout = new Writable({
        write: (chunk: Buffer, _, done) => {
          read += chunk.length;
          done();
        },
      });
      expect(await client.with({ output: { stdout, stderr: stdout } }).call(print, 50)).toBe(50);
      expect(read).toBe(50_000_000);
      expect(await client.with({ async: false }).call(print, 20)).toBe(20);
      expect(peakMB(node)).toBeLessThan(400);
      const log = await printedBy(unread);
      expect(log.slice(1_000_000)).toBe(
        "\n[kitchensink: the output log was cut here, at its limit of 1000000 bytes]\n",
      );
    },
  );
});

describe.each(STORES)("output that somebody follows and does not read, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 2, graceMs: 100 });
  });
  afterAll(() => cluster.close());

  /** Follows a job from its beginning on, and reads nothing. */
  async function follow(job: Job<unknown>): Promise<IncomingMessage> {
    const url = cluster.urls[0] ?? "";
    const headers = { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" };
    const client = randomUUID();
    const request = get(`${url}v1/events?client=${client}`, { headers });
    request.on("error", () => {});
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => {});
    onTestFinished(() => void response.destroy());
    await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "running" });
    const body = JSON.stringify({ client, jobs: [{ id: job.id, from: 0 }] });
    expect((await fetch(`${url}v1/watch`, { method: "POST", headers, body })).status).toBe(204);
    return response;
  }

  test(
    "fault 37: the job waits for its reader, and no other one does; the reader is cut off, and the job ends",
    { timeout: 60_000 },
    async () => {
      const job = cluster.client.call(print, 100, 1_000);
      await follow(job);
      for (let other = 0; other < 5; other++)
        expect(await cluster.client.call((n: number) => n, other)).toBe(other);
      expect((await job.status()).state).toBe("running");
      expect(await job).toBe(100);
    },
  );

  test("fault 37: a job that waits for its reader can be cancelled, and its worker is replaced", async () => {
    const job = cluster.client.call(print, 1_000, 1_000);
    await follow(job);
    await job.cancel();
    await expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" });
    expect(await Promise.all([1, 2, 3].map((n) => cluster.client.call((m: number) => m, n)))).toEqual([
      1, 2, 3,
    ]);
  });

  test("fault 37: a reader who goes on reading gets all of it", async () => {
    const job = cluster.client.call(print, 20, 1_000);
    const response = await follow(job);
    response.resume();
    let bytes = 0;
    response.on("data", (chunk: Buffer) => (bytes += chunk.length));
    expect(await job).toBe(20);
    await expect.poll(() => bytes).toBeGreaterThan(20_000_000);
  });
});
