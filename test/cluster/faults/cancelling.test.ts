/** Cancelled jobs, and the workers that they keep until they have really ended. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startCluster, type Cluster } from "kitchensink/testing";
import { isAlive } from "../../support/cli.ts";
import { useStore } from "../../support/stores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { deaf, untilAborted, untilThere } from "../fixtures/jobs.mjs";

const redis = useStore("redis");

async function start(options: Parameters<typeof startCluster>[0]): Promise<Cluster> {
  const cluster = await startCluster(options);
  onTestFinished(() => cluster.close());
  return cluster;
}

test("a cancelled function that does not listen keeps its slot until it is killed, and nothing else is begun there", async () => {
  const { client } = await start({ numWorkers: 1, graceMs: 4_000 });
  const file = join(temporaryDirectory(), "pid");
  const job = client.call(deaf, file);
  let hasEnded = false;
  const end = expect(job)
    .rejects.toMatchObject({ code: "KS_CANCELLED" })
    .finally(() => (hasEnded = true));
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), 10_000);
  const pid = Number(readFileSync(file, "utf8"));
  await job.cancel();
  const next = client.call((deafOne: number) => {
    let isThere = true;
    try {
      process.kill(deafOne, 0);
    } catch {
      isThere = false;
    }
    return { isThere, pid: process.pid };
  }, pid);
  await vi.waitFor(async () => expect(await next.status()).toMatchObject({ state: "queued" }), 3_000);
  expect({ hasEnded, isAlive: isAlive(pid) }).toEqual({ hasEnded: false, isAlive: true });
  expect(await job.status()).toMatchObject({ state: "running" });
  // When the next one begins, the process of the first has ended, and so has the job.
  const { isThere, pid: nextPid } = await next;
  expect(isThere).toBe(false);
  expect(nextPid).not.toBe(pid);
  await end;
});

test("cancelAll leaves instant calls alone, and counts no job that was cancelled before and has not stopped yet", async () => {
  const { client } = await start({ numWorkers: 1, graceMs: 4_000 });
  const [file, go] = [join(temporaryDirectory(), "pid"), join(temporaryDirectory(), "go")];
  const instant = client.with({ async: false }).call(untilThere, go);
  const result = instant.then(({ attempt }) => attempt);
  const end = expect(client.call(deaf, file)).rejects.toMatchObject({ code: "KS_CANCELLED" });
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), 10_000);
  expect(await client.cancelAll()).toBe(1);
  expect(await client.cancelAll()).toBe(0);
  writeFileSync(go, "");
  expect(await result).toBe(1);
  await end;
});

test("cancelAll ends what waits and what runs, on all nodes", async () => {
  const { client, nodes } = await start({ ...redis(), nodes: 2, numWorkers: 1, graceMs: 500 });
  const jobs = ["node1", "node2"].flatMap((node) =>
    Array.from({ length: 3 }, () => client.with({ node }).call(untilAborted)),
  );
  const shared = Array.from({ length: 3 }, () => client.with({ queue: "nobody" }).call(untilAborted));
  const all = [...jobs, ...shared];
  const ends = Promise.all(all.map((job) => expect(job).rejects.toMatchObject({ code: "KS_CANCELLED" })));
  const states = async (): Promise<string[]> => {
    const statuses = await Promise.all(all.map((job) => job.status()));
    return statuses.map(({ state }) => state).toSorted();
  };
  await vi.waitFor(async () => {
    const counts = await states();
    expect(counts.filter((state) => state === "running")).toHaveLength(2);
  }, 10_000);
  expect(await client.cancelAll("cleaning up")).toBe(9);
  await ends;
  expect(new Set(await states())).toEqual(new Set(["cancelled"]));
  expect(await client.cancelAll()).toBe(0);
  for (const { name } of nodes) expect(await client.with({ node: name }).call(() => "free")).toBe("free");
});
