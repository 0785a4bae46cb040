import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { note, noteAndDie, noteAndMayDie, noteAndStay } from "./fixtures/jobs.mjs";
import { nodeProcesses } from "../support/node-processes.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { STORES, useStore } from "../support/stores.ts";

const runs = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};
const LOST = {
  code: "KS_WORKER_LOST",
  message: expect.stringContaining("It may have run in part; it was not begun again, because"),
};

describe.each(STORES)("calls with idempotent: false, on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), numWorkers: 1, graceMs: 100 });
  });
  afterAll(() => cluster.close());

  test("a job whose worker is killed fails, and is not begun again", async () => {
    const file = join(temporaryDirectory(), "runs");
    const c = cluster.client.with({ idempotent: false });
    await expect(c.call(noteAndDie, file)).rejects.toMatchObject({
      ...LOST,
      message: expect.stringMatching(
        /noteAndDie: its worker died \(killed by SIGKILL\).*It may have run in part/,
      ),
    });
    await cluster.client.call(note, file);
    expect(runs(file)).toBe("node1 1\nnode1 1\n");
  });

  test("of short ones that follow each other only the one fails under which the worker died, and each runs once", async () => {
    const file = join(temporaryDirectory(), "runs");
    const c = cluster.client.with({ idempotent: false });
    const call = (isDeadly: boolean): Promise<void> => c.call(noteAndMayDie, file, isDeadly).then(() => {});
    // Of functions that are known to be short a worker holds several.
    for (let n = 0; n < 30; n += 1) await call(false);
    const deadly = [6, 20];
    const ends = await Promise.allSettled(Array.from({ length: 40 }, (_, at) => call(deadly.includes(at))));
    expect(ends.flatMap(({ status }, at) => (status === "rejected" ? [at] : []))).toEqual(deadly);
    expect(runs(file).trimEnd().split("\n")).toHaveLength(70);
  });

  test("process.exit() is reported as ever", async () => {
    const job = cluster.client.with({ idempotent: false }).call(() => process.exit(3));
    await expect(job).rejects.toMatchObject({
      message: expect.stringMatching(/it called process\.exit\(3\)/),
    });
    await expect(job).rejects.not.toMatchObject(LOST);
  });

  test("together with retries it is refused at once", () => {
    const refused = { code: "KS_USAGE", message: expect.stringContaining("must not run twice") };
    expect(() => cluster.client.with({ idempotent: false, retries: 1 })).toThrow(
      expect.objectContaining(refused),
    );
    const once = cluster.client.with({ idempotent: false });
    expect(() => once.with({ retries: 2 })).toThrow(expect.objectContaining(refused));
  });
});

describe("calls with idempotent: false, on several nodes", () => {
  const options = useStore("redis");

  test("one that runs when its node's grace has ended fails, and others go on elsewhere", async () => {
    await using cluster = await startCluster({ ...options(), nodes: 2, graceMs: 100 });
    const files = ["once", "again"].map((name) => join(temporaryDirectory(), name));
    const c = cluster.connect(1);
    const once = c.with({ idempotent: false, queue: "default", node: "node1" }).call(noteAndStay, files[0]!);
    const end = expect(once).rejects.toMatchObject({
      ...LOST,
      message: expect.stringMatching(/noteAndStay: node1 left while it ran/),
    });
    await expect.poll(() => runs(files[0]!)).toBe("node1 1\n");
    const waiting = c.with({ idempotent: false, node: "node1" }).call(note, files[1]!);
    waiting.catch(() => {});
    await cluster.nodes[0]!.close(0);
    await end;
    expect(runs(files[0]!)).toBe("node1 1\n");
    expect((await waiting.status()).state).toBe("queued");
  });

  test("one whose node is killed fails within lease and sweep, and is not begun again", async () => {
    const nodes = nodeProcesses(options().redisConnection ?? "");
    const [first, second] = [await nodes.start("first"), await nodes.start("second")];
    const files = ["once", "again"].map((name) => join(temporaryDirectory(), name));
    const c = nodes.connect(second);
    const once = c.with({ idempotent: false, node: "first" }).call(noteAndStay, files[0]!);
    const end = expect(once).rejects.toMatchObject({
      ...LOST,
      message: expect.stringMatching(/the node first that had taken it is lost/),
    });
    await expect.poll(() => runs(files[0]!)).toBe("first 1\n");
    first.command.kill("SIGKILL");
    await end;
    expect(await once.status()).toMatchObject({ state: "failed", deaths: 1 });
    expect(runs(files[0]!)).toBe("first 1\n");
  }, 40_000);
});
