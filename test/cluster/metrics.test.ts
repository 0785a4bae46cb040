import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RemoteData } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPage, ROOT } from "../docs/support/markdown.ts";
import { STORES, useStore } from "../support/stores.ts";

const FUNCTIONS = fileURLToPath(new URL("./fixtures/functions.ts", import.meta.url));

/** Every sample by its name and labels as they stand; throws where a line is not of Prometheus' text format. */
async function scrape(cluster: Cluster): Promise<ReadonlyMap<string, number>> {
  const headers = { authorization: `Bearer ${cluster.token}` };
  const response = await fetch(`${cluster.urls[0]}metrics`, { headers });
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const samples = new Map<string, number>();
  for (const line of (await response.text()).trimEnd().split("\n")) {
    if (/^# (HELP [a-z_]+ \S.*|TYPE [a-z_]+ (counter|gauge|histogram))$/.test(line)) continue;
    const [, name = "", value = ""] =
      /^([a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (\S+)$/.exec(line) ?? [];
    expect({ line, isSample: name !== "" && Number.isFinite(Number(value)) }).toEqual({
      line,
      isSample: true,
    });
    samples.set(name, Number(value));
  }
  return samples;
}

const familyOf = (sample: string): string =>
  sample.replace(/\{.*$/, "").replace(/_seconds_(bucket|sum|count)$/, "_seconds");

describe.each(STORES)("on the %s store", (store) => {
  const options = useStore(store);
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ ...options(), modules: [FUNCTIONS] });
  });
  afterAll(() => cluster.close());

  test("jobs are counted by what became of them, and timed", async () => {
    const before = await scrape(cluster);
    const c = cluster.client.with({ rpcName: "test" });
    await Promise.all([c.call("add", 1, 2), c.call("add", 2, 3)]);
    await expect(c.call("buy", "hats")).rejects.toThrow("no more hats");
    await c.with({ async: false }).call("add", 1, 2);
    const after = await scrape(cluster);
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(grown('kitchensink_jobs_ended_total{state="succeeded"}')).toBe(2);
    expect(grown('kitchensink_jobs_ended_total{state="failed"}')).toBe(1);
    expect(grown('kitchensink_instant_calls_ended_total{state="succeeded"}')).toBe(1);
    expect(grown('kitchensink_run_duration_seconds_count{lane="queue"}')).toBe(3);
    expect(grown('kitchensink_run_duration_seconds_bucket{lane="queue",le="+Inf"}')).toBe(3);
    expect(grown('kitchensink_run_duration_seconds_bucket{lane="queue",le="3600"}')).toBe(3);
    expect(grown("kitchensink_queue_wait_seconds_count")).toBe(3);
    expect(grown("kitchensink_queue_wait_seconds_sum")).toBeGreaterThan(0);
    expect(grown("kitchensink_store_trips_total") > 0).toBe(store === "redis");
  });

  test("what waits, runs and is there is told as it is now", async () => {
    const waiting = cluster.client.with({ queue: "elsewhere" }).call("greet", "Ada");
    waiting.catch(() => {});
    await expect
      .poll(async () => (await scrape(cluster)).get('kitchensink_queue_jobs{queue="elsewhere"}'))
      .toBe(1);
    const samples = await scrape(cluster);
    expect(samples.get("kitchensink_store_up")).toBe(1);
    expect(samples.get("kitchensink_nodes")).toBe(1);
    expect(samples.get('kitchensink_workers{lane="queue"}')).toBe(1);
    expect(samples.get("kitchensink_process_resident_memory_bytes")).toBeGreaterThan(1e7);
    await waiting.cancel();
  });

  test("data are counted that come and go", async () => {
    const raw = new Uint8Array(100_000);
    const data = await new RemoteData({ raw, client: cluster.client }).save();
    const headers = { authorization: `Bearer ${cluster.token}` };
    await (await fetch(`${cluster.urls[0]}v1/data/${data.dataUrl}`, { headers })).arrayBuffer();
    const samples = await scrape(cluster);
    expect(samples.get('kitchensink_data_received_bytes_total{way="upload"}')).toBeGreaterThanOrEqual(
      100_000,
    );
    await expect
      .poll(async () => (await scrape(cluster)).get("kitchensink_data_sent_bytes_total"))
      .toBeGreaterThanOrEqual(100_000);
  });

  test("docs/operations.md has a row for each, and the example dashboard names no other", async () => {
    await scrape(cluster);
    const told = [...new Set([...(await scrape(cluster)).keys()].map(familyOf))].toSorted();
    const rows = [...readPage("docs/operations.md").matchAll(/^\| `(kitchensink_[a-z_]+)`/gm)];
    expect(rows.map(([, name = ""]) => name).toSorted()).toEqual(told);
    const dashboard = readFileSync(`${ROOT}/examples/grafana/dashboard.json`, "utf8");
    const shown = new Set([...dashboard.matchAll(/kitchensink_[a-z_]+/g)].map(([name]) => familyOf(name)));
    expect([...shown].filter((name) => !told.includes(name))).toEqual([]);
    expect(shown.size).toBeGreaterThan(10);
  });
});
