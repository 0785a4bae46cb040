/** What becomes of jobs that need more memory than their worker may have. */
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client } from "kitchensink";
import { runCommand, startNodeProcess } from "../../support/cli.ts";
import { STORES, useStore } from "../../support/stores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import * as hungry from "./fixtures/hungry.mjs";

// Elsewhere only the heap has a limit.
const isElsewhere = process.platform !== "linux";

describe.each(STORES)("a worker with 128 MB, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 2, workerMemoryBytes: 128_000_000 });
  });
  afterAll(() => cluster.close());

  const endsOutOfMemory = async (job: PromiseLike<unknown>): Promise<void> => {
    await expect(job).rejects.toMatchObject({
      code: "KS_WORKER_LOST",
      message: expect.stringMatching(
        /3 times, the last time \(killed by SIG\w+: out of memory; its limit is 128 MB\).*\nI begin\n.*Earlier deaths:(\n- .*: out of memory; its limit is 128 MB){2}$/s,
      ),
    });
  };

  test("fault 15: a heap that grows ends its job as out of memory, with the limit; other workers are unhurt", async () => {
    const other = cluster.client.call(hungry.wait);
    await expect.poll(() => other.status()).toMatchObject({ state: "running" });
    await endsOutOfMemory(cluster.client.call(hungry.growHeap));
    await other.cancel();
    await expect(other).rejects.toMatchObject({ code: "KS_CANCELLED" });
    expect(await other.status()).toMatchObject({ attempt: 1, deaths: 0 });
    expect(await cluster.client.call(() => "unhurt")).toBe("unhurt");
  });

  test.skipIf(isElsewhere)("fault 15: so do Buffers, which are not in the heap", async () => {
    await endsOutOfMemory(cluster.client.call(hungry.growBuffers));
    expect(await cluster.client.call(() => "unhurt")).toBe("unhurt");
  });

  test.skipIf(isElsewhere)(
    "fault 15: one value that is too large is an error of its job, and no death",
    async () => {
      const job = cluster.client.call(hungry.allocate, 1_000_000_000);
      await expect(job).rejects.toBeInstanceOf(RangeError);
      expect(await job.status()).toMatchObject({ attempt: 1, deaths: 0 });
    },
  );

  test("what only reserves address space works: fetch, WebAssembly, child processes", async () => {
    expect(await cluster.client.call(hungry.reserve)).toEqual(["hi", 65_536, "child"]);
  });
});

// One death is told as three are, of which each takes V8 many collections of garbage.
describe("what fills a worker", () => {
  const start = (megabytes: number): Promise<Cluster> =>
    startCluster({ numWorkers: 1, workerMemoryBytes: megabytes * 1_000_000 });
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await start(128);
  });
  afterAll(() => cluster.close());

  const out = (how: string): object => ({
    code: "KS_WORKER_LOST",
    message: expect.stringMatching(new RegExp(String.raw`\(killed by SIG\w+${how}`)),
  });
  const IS_OUT = ": out of memory; its limit is 128 MB";
  const MAY_BE_OUT = "; perhaps out of memory: its limit is 128 MB";

  const { growObjects, growRows, fillArray } = hungry;
  test.each(Object.entries({ growObjects, growRows, fillArray }))(
    "fault 15: a full heap leaves V8 what it needs to say so (%s)",
    async (_, fill) => {
      const job = cluster.client.with({ idempotent: false }).call(fill);
      await expect(job).rejects.toMatchObject(out(IS_OUT));
    },
  );

  test("fault 15: it does in an instant call", async () => {
    const call = cluster.client.with({ async: false }).call(growObjects);
    await expect(call).rejects.toMatchObject(out(IS_OUT));
  });

  test("fault 15: it does with a larger limit", async () => {
    await using large = await start(256);
    const job = large.client.with({ idempotent: false }).call(growObjects);
    await expect(job).rejects.toMatchObject(out(": out of memory; its limit is 256 MB"));
  });

  test.skipIf(isElsewhere)(
    "fault 15: memory that is full outside of the heap may not, and then the report says so",
    async () => {
      const job = cluster.client.with({ idempotent: false }).call(hungry.growHolders);
      await expect(job).rejects.toMatchObject(out(`(${IS_OUT}|${MAY_BE_OUT})`));
    },
  );
});

describe("kitchensink start --worker-memory", () => {
  test.skipIf(isElsewhere)(
    "fault 15: the first workers, which start before their node, have the limit too",
    async () => {
      const node = await startNodeProcess(["--embedded", "--worker-memory", "100MB"]);
      const client = new Client(node.url, { token: node.token, output: "off" });
      await expect(client.call(hungry.growBuffers)).rejects.toMatchObject({
        message: expect.stringContaining("its limit is 100 MB"),
      });
      await client.close();
    },
  );

  test("less than Node needs is refused, with the least that makes sense", async () => {
    const { code, stderr } = await runCommand([
      "start",
      "--embedded",
      "--worker-memory",
      "50MB",
      "--datadir",
      temporaryDirectory(),
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("Cannot run workers with 50 MB of memory");
    expect(stderr).toContain("give --worker-memory 64 MB or more");
  });
});
