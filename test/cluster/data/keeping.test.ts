/** What is kept, and what is found out, when nodes and stores come and go. */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { RemoteData } from "kitchensink";
import { useStore } from "../../support/stores.ts";
import { startNodeProcess } from "../../support/cli.ts";
import { nodeProcesses, type NodeInProcess } from "../../support/node-processes.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import * as functions from "./fixtures/functions.mjs";

const redis = useStore("redis");
let cluster = "";
let number = 0;
beforeEach(() => {
  cluster = `keeping-${++number}`;
});
const processes = () => nodeProcesses(redis().redisConnection ?? "");
const flags = (): string[] => ["--cluster", cluster];

async function stop(node: NodeInProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  node.command.kill(signal);
  await node.command.exited;
}

test("data outlives the embedded store: at the next start it is there again", async () => {
  const directory = join(temporaryDirectory(), "data");
  const first = await startNodeProcess(["--embedded", "--datadir", directory]);
  const { Client } = await import("kitchensink");
  const one = new Client(first.url, { token: first.token });
  const saved = await new RemoteData({ obj: [1, 2], client: one }).save({ url: "kept" });
  const before = await saved.info();
  await one.close();
  first.kill("SIGTERM");
  await first.exited;
  const second = await startNodeProcess(["--embedded", "--datadir", directory]);
  const two = new Client(second.url, { token: second.token });
  const kept = new RemoteData({ dataUrl: "kept", client: two });
  expect(await kept.obj()).toEqual([1, 2]);
  expect((await kept.info()).createdAt).toEqual(before.createdAt);
  await two.close();
});

describe("files that changed while their node was down", () => {
  test("missing and damaged ones leave the catalog; sound ones stay, also with other times", async () => {
    const place = processes();
    const [one, two] = [await place.start("node1", flags()), await place.start("node2", flags())];
    const client = place.connect(one);
    const save = (url: string): Promise<RemoteData> =>
      new RemoteData({ raw: Buffer.from(`the bytes of ${url}`), client }).save({ url, node: "node2" });
    for (const url of ["gone", "cut", "changed", "touched", "sound"]) await save(url);
    await (await save("elsewhere")).pipeline();
    await stop(two);
    const file = (url: string): string => join(place.directory("node2"), url);
    for (const url of ["cut", "changed", "touched"]) chmodSync(file(url), 0o600);
    rmSync(file("gone"));
    rmSync(file("elsewhere"));
    writeFileSync(file("cut"), "the");
    writeFileSync(file("changed"), "the Bytes of changed");
    utimesSync(file("touched"), new Date(), new Date());
    await place.start("node2", flags());
    await vi.waitFor(async () => {
      expect(await client.data.search("**")).toEqual(["elsewhere", "sound", "touched"]);
    });
    expect((await client.data.info("elsewhere")).replicas.map(({ node }) => node)).toEqual(["node1"]);
    const quarantine = join(place.directory("node2"), ".kitchensink/quarantine");
    expect(
      readdirSync(quarantine, { recursive: true }).some((name) => String(name).includes("changed")),
    ).toBe(true);
    await expect(new RemoteData({ dataUrl: "gone", client }).raw()).rejects.toMatchObject({
      code: "KS_DATA_LOST",
    });
  });
});

test("data is away while its only node is, and back with it", { timeout: 40_000 }, async () => {
  const place = processes();
  const [one, two] = [await place.start("node1", flags()), await place.start("node2", flags())];
  const client = place.connect(one);
  const data = await new RemoteData({ obj: "there", client }).save({ url: "one", node: "node2" });
  await stop(two);
  await expect(new RemoteData({ dataUrl: "one", client }).obj()).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
    message: expect.stringContaining("node2"),
  });
  expect((await data.info()).replicas).toEqual([{ node: "node2", url: null, isAlive: false }]);
  // A job waits for a while for the node to come back.
  const job = client.call(functions.length, data as unknown as RemoteData<unknown[]>);
  await place.start("node2", flags());
  expect(await job).toBe(5);
});

test("data deleted while a node is away is dropped there when the node is back", async () => {
  const place = processes();
  const [one, two] = [await place.start("node1", flags()), await place.start("node2", flags())];
  const client = place.connect(one);
  const data = await new RemoteData({ obj: 1, client }).save({ url: "one" });
  await data.pipeline();
  await stop(two);
  expect(await data.delete()).toEqual({ deleted: ["node1"], pending: ["node2"] });
  await new RemoteData({ obj: "new", client }).save({ url: "one" });
  await place.start("node2", flags());
  await vi.waitFor(() => expect(existsSync(join(place.directory("node2"), "one"))).toBe(false));
  expect((await client.data.info("one")).replicas.map(({ node }) => node)).toEqual(["node1"]);
});

test("when the store comes back empty, nodes enter their files again", { timeout: 30_000 }, async () => {
  const place = processes();
  const one = await place.start("node1", flags());
  const client = place.connect(one);
  await new RemoteData({ obj: [1, 2, 3], client }).save({ url: "one" });
  const raw = new Redis(
    redis()
      .redisConnection!.replace("tcp:", "redis:")
      .replace(/\?db=(\d+)/, "/$1"),
  );
  const keys = await raw.keys(`{ks:${cluster}}:*`);
  expect(keys.length).toBeGreaterThan(3);
  await raw.del(...keys);
  raw.disconnect();
  await vi.waitFor(async () => expect(await client.data.search("**")).toEqual(["one"]), { timeout: 15_000 });
  expect(await new RemoteData({ dataUrl: "one", client }).obj()).toEqual([1, 2, 3]);
});

test("files are adopted at the start, and those that cannot be are named", async () => {
  const place = processes();
  const folder = place.directory("node1");
  mkdirSync(join(folder, "logs"), { recursive: true });
  writeFileSync(join(folder, "logs/a.csv"), "1");
  writeFileSync(join(folder, "logs/b\\ad.csv"), "2");
  writeFileSync(join(folder, "other.txt"), "3");
  const node = await place.start("node1", [...flags(), "--adopt", "logs/*.csv"]);
  expect(await place.connect(node).data.search("**")).toEqual(["logs/a.csv"]);
  expect(node.command.stderr).toContain("ad.csv");
});
