/** What becomes of a job, of its neighbours and of the node when a worker dies. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { RemoteData, type Job } from "kitchensink";
import { gone } from "../../support/cli.ts";
import { nodeProcesses } from "../../support/node-processes.ts";
import { STORES, useStore } from "../../support/stores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { dieOnce } from "../fixtures/jobs.mjs";
import * as deadly from "./fixtures/deadly.mjs";

/** The message of the error that a job ends with. */
async function messageOf(job: PromiseLike<unknown>): Promise<string> {
  const error = await Promise.resolve(job).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return (error as Error).message;
}

async function printedBy(job: Job<unknown>): Promise<string> {
  let printed = "";
  for await (const { text } of job.output()) printed += text;
  return printed;
}

describe.each(STORES)("a worker that dies, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 1, graceMs: 100 });
  });
  afterAll(() => cluster.close());
  const isUnhurt = async (): Promise<void> => {
    const job = cluster.client.call((x: number) => x + 1, 1);
    expect(await job).toBe(2);
    expect(await job.status()).toMatchObject({ attempt: 1, deaths: 0 });
  };

  test("fault 1: a worker is killed while it runs: the job runs again at once, and its result is the second attempt's", async () => {
    const job = cluster.client.call(dieOnce);
    expect(await job).toBe(2);
    const { startedAt, createdAt, ...status } = await job.status();
    expect(status).toMatchObject({ state: "succeeded", attempt: 2, deaths: 1 });
    expect(startedAt!.valueOf() - createdAt.valueOf()).toBeLessThan(10_000);
    await isUnhurt();
  });

  test("fault 16: a job that kills every worker fails after three deaths, with a report on each", async () => {
    const job = cluster.client.call(deadly.killItself);
    const message = await messageOf(job);
    expect(message).toMatch(
      /^Cannot finish killItself: its worker died 3 times, the last time \(killed by SIGKILL.*\) after \d+ ms on node1\./,
    );
    expect(message).toContain("The last it printed:\ngoodbye from attempt 3\n");
    expect(message).not.toContain("goodbye from attempt 2");
    expect(message.split("\n").slice(-3)).toEqual([
      "Earlier deaths:",
      expect.stringMatching(/^- attempt 1 on node1, after \d+ ms: killed by SIGKILL/),
      expect.stringMatching(/^- attempt 2 on node1, after \d+ ms: killed by SIGKILL/),
    ]);
    await expect(job).rejects.toMatchObject({ code: "KS_WORKER_LOST" });
    expect(await job.status()).toMatchObject({ state: "failed", attempt: 3 });
    await isUnhurt();
  });

  test("fault 16: only the job that ran is blamed, and not those before and behind it in the same worker", async () => {
    // So short that the worker holds many of them at a time.
    const { client } = cluster;
    await Promise.all(Array.from({ length: 300 }, (_, at) => client.call(deadly.mayKill, at, -1)));
    const jobs = Array.from({ length: 300 }, (_, at) => client.call(deadly.mayKill, at, 150));
    const ends = await Promise.allSettled(jobs);
    const failed = ends.flatMap(({ status }, at) => (status === "rejected" ? [at] : []));
    expect(failed).toEqual([150]);
    const deaths = await Promise.all(jobs.map(async (job) => (await job.status()).deaths));
    expect(deaths.flatMap((count, at) => (count === 0 ? [] : [[at, count]]))).toEqual([[150, 2]]);
  });

  test("fault 36: process.exit() fails the job that calls it, at once", async () => {
    const job = cluster.client.call(() => process.exit(3));
    expect(await messageOf(job)).toContain("it called process.exit(3)");
    expect(await job.status()).toMatchObject({ state: "failed", attempt: 1 });
    await isUnhurt();
  });

  test("fault 36: process.exit() without a code is reported with process.exitCode", async () => {
    expect(await messageOf(cluster.client.call(deadly.exitWithout, 9))).toContain(
      "it called process.exit(9)",
    );
    await isUnhurt();
  });

  test("fault 36: process.abort() is a death, whose report has the job's last 20 lines and not V8's", async () => {
    const message = await messageOf(cluster.client.call(deadly.abort));
    expect(message).toMatch(/3 times, the last time \(killed by SIGABRT\)/);
    const printed = message.split("The last it printed:\n")[1]?.split("\nEarlier deaths:")[0];
    const numbered = Array.from({ length: 19 }, (_, at) => `line ${at + 11} of the job`);
    expect(printed?.split("\n")).toEqual([...numbered, "line 30 without its newline"]);
    await isUnhurt();
  });

  test("fault 36: an unhandled rejection is said on stderr, and fails nobody", async () => {
    const job = cluster.client.call(deadly.leaveRejection);
    expect(await job).toBe("done");
    const printed = await printedBy(job);
    expect(printed).toContain("nobody waits for this");
    expect(printed).toContain("at leaveRejection");
    expect(printed).not.toMatch(/kitchensink|dist\/|node:internal/);
    await isUnhurt();
  });

  test("fault 36: a throw from a timer fails the job that started it", async () => {
    await expect(
      cluster.client.call(async () => {
        setTimeout(() => {
          throw new RangeError("from a timer");
        }, 1);
        await new Promise(() => {});
      }),
    ).rejects.toMatchObject({ name: "RangeError", message: "from a timer" });
    await isUnhurt();
  });

  test.each(["throw", "exit"] as const)(
    "fault 36: a timer that a job left behind (%s) is blamed on nobody",
    async (what) => {
      const pid = await cluster.client.call(deadly.leaveBehind, what);
      const next = cluster.client.call(deadly.takeLonger);
      expect(await next).toBe(pid);
      expect(await next.status()).toMatchObject({ attempt: 1, deaths: 0 });
      expect(await printedBy(next)).toBe("");
      await isUnhurt();
    },
  );

  test("fault 36: infinite recursion is an error of the job", async () => {
    await expect(cluster.client.call(deadly.recurse)).rejects.toBeInstanceOf(RangeError);
    await isUnhurt();
  });

  test("fault 36: a process that a job left behind keeps neither the next job nor a fresh worker waiting", async () => {
    const child = await cluster.client.call(deadly.leaveChild);
    onTestFinished(async () => {
      process.kill(child, "SIGKILL");
      await gone([child]);
    });
    await isUnhurt();
    expect(await cluster.client.call(dieOnce)).toBe(2);
    await isUnhurt();
  });

  test.each([
    [1, false],
    [1, true],
    [2, true],
    [3, false],
    [3, true],
  ])(
    "fault 36: a job that closes descriptor %d (and opens another: %s) ends, and the next is unhurt",
    async (descriptor, opensAnother) => {
      const job = cluster.client.call(deadly.close, descriptor, opensAnother);
      const end = await job.catch((error: unknown) => error);
      expect(String(end)).toMatch(/^closed$|^KitchenError: .* closed its (stdout or stderr|descriptor 3)/);
      await isUnhurt();
    },
  );
});

describe("deaths on several nodes", () => {
  const redis = useStore("redis");

  test(
    "fault 16: the report has the deaths of workers and of nodes, wherever they were",
    { timeout: 60_000 },
    async () => {
      const place = nodeProcesses(redis().redisConnection ?? "");
      const one = await place.start("node1", ["--cluster", "deaths"]);
      const two = await place.start("node2", ["--cluster", "deaths", "--queue", "other"]);
      const client = place.connect(two);
      const job = client.call(deadly.killItselfOrWait);
      await expect
        .poll(() => job.status(), { timeout: 20_000 })
        .toMatchObject({ state: "running", attempt: 2 });
      one.command.kill("SIGKILL");
      await place.start("node3", ["--cluster", "deaths"]);
      expect((await messageOf(job)).split("\n")).toEqual([
        expect.stringMatching(/^Cannot finish killItselfOrWait: its worker died 3 times.*on node3\. /),
        "attempt 3",
        "Earlier deaths:",
        expect.stringMatching(/^- attempt 1 on node1, after \d+ ms: killed by SIGKILL/),
        "- attempt 2 on node1: the node was lost",
      ]);
    },
  );
});

describe("workers that die at their start", () => {
  const flag = "KS_TEST_CRASH_FILE";

  test("fault 17: they are started again with growing pauses, which nodes() shows; the node stays up, and recovers", async () => {
    const file = join(temporaryDirectory(), "crash");
    process.env[flag] = file;
    onTestFinished(() => void delete process.env[flag]);
    const pauses: number[] = [];
    const warn = (message: string): void => {
      const [, ms] = /a worker ended at its start .* the next one starts in (\d+) ms/.exec(message) ?? [];
      if (ms !== undefined) pauses.push(Number(ms));
    };
    const log = { debug: () => {}, info: () => {}, error: () => {}, warn };
    const module = fileURLToPath(new URL("./fixtures/crashing.mjs", import.meta.url));
    const cluster = await startCluster({ modules: [module], env: [flag], leaseMs: 1_000, log });
    onTestFinished(() => cluster.close());
    const { client } = cluster;
    expect(await client.call("sum", 1, 2)).toBe(3);

    writeFileSync(file, "");
    const killed = client.call("die");
    const failures = async (): Promise<number> => (await client.nodes())[0]?.startFailures ?? 0;
    await expect.poll(failures, { timeout: 15_000 }).toBeGreaterThanOrEqual(3);
    expect(new Set(pauses)).toEqual(new Set([400, 800, 1_600].slice(0, new Set(pauses).size)));
    const data = await new RemoteData({ obj: [1, 2], client }).save({ url: "meanwhile" });
    expect(await data.obj()).toEqual([1, 2]);
    const waiting = client.call("sum", 3, 4);
    expect((await waiting.status()).state).toBe("queued");

    rmSync(file);
    await killed.cancel();
    expect(await waiting).toBe(7);
    await expect.poll(failures, { timeout: 15_000 }).toBe(0);
  });
});
