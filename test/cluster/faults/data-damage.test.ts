/** Files that change, or go, under the nodes that keep them. */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { RemoteData, type Client } from "kitchensink";
import { nodeProcesses, type NodeInProcess, type NodeProcesses } from "../../support/node-processes.ts";
import { useStore } from "../../support/stores.ts";
import * as functions from "../data/fixtures/functions.mjs";

const redis = useStore("redis");
let number = 0;
let cluster: readonly string[] = [];
beforeEach(() => {
  cluster = ["--cluster", `damage-${++number}`];
});
const processes = (): NodeProcesses => nodeProcesses(redis().redisConnection ?? "");

const SOUND = "sound bytes";
const WRONG = "Sound bytes";

async function start(place: NodeProcesses, ...names: readonly string[]): Promise<NodeInProcess[]> {
  return await Promise.all(names.map((name) => place.start(name, cluster)));
}

/** Saves data on these nodes. */
async function saveOn(client: Client, url: string, first: string, ...others: string[]): Promise<RemoteData> {
  const data = await new RemoteData({ raw: Buffer.from(SOUND), client }).save({ url, node: first });
  if (others.length > 0) await data.pipeline({ nodes: others });
  return data;
}

function damage(file: string): void {
  chmodSync(file, 0o600);
  writeFileSync(file, WRONG);
  chmodSync(file, 0o444);
}

/** Damages a file as a disk does: its times stay as the node knows them. The node must be down. */
function rot(directory: string, url: string): void {
  damage(join(directory, url));
  const { mtimeMs, ctimeMs } = statSync(join(directory, url));
  const journal = join(directory, ".kitchensink/replicas.jsonl");
  const lines = readFileSync(journal, "utf8").trim().split("\n");
  const rotten = lines.map((line) => {
    const entry = JSON.parse(line) as { url: string };
    return JSON.stringify(entry.url === url ? { ...entry, mtimeMs, ctimeMs } : entry);
  });
  writeFileSync(journal, `${rotten.join("\n")}\n`);
}

const contents = (place: NodeProcesses, node: string, url: string): string =>
  readFileSync(join(place.directory(node), url), "utf8");

const quarantined = (place: NodeProcesses, node: string): string[] =>
  readdirSync(join(place.directory(node), ".kitchensink/quarantine"));

async function isRepaired(place: NodeProcesses, node: string, url: string): Promise<void> {
  await vi.waitFor(() => expect(contents(place, node, url)).toBe(SOUND), 10_000);
  expect(quarantined(place, node)).toHaveLength(1);
  expect(contents(place, node, `.kitchensink/quarantine/${quarantined(place, node)[0]}`)).toBe(WRONG);
}

async function holdersOf(data: RemoteData): Promise<string[]> {
  return (await data.info()).replicas.map(({ node }) => node);
}

describe("a file that is written to under its node", () => {
  test.each([
    ["a client", (client: Client) => new RemoteData({ dataUrl: "one", client }).raw()],
    [
      "a job on the node",
      (client: Client) =>
        client.with({ node: "node2" }).call(functions.bytesOf, new RemoteData({ dataUrl: "one", client })),
    ],
    [
      "a job on a node that fetches it",
      (client: Client) =>
        client.with({ node: "node3" }).call(functions.bytesOf, new RemoteData({ dataUrl: "one", client })),
    ],
  ])("fault 25: %s gets the bytes of another replica, and the node a sound one again", async (_, read) => {
    const place = processes();
    const [, two] = await start(place, "node1", "node2", "node3");
    const client = place.connect(two!);
    const data = await saveOn(client, "one", "node2", "node1");
    damage(join(place.directory("node2"), "one"));
    expect(Buffer.from(await read(client)).toString()).toBe(SOUND);
    // Who fetches it may have asked the sound one.
    await client.with({ node: "node2" }).call(functions.bytesOf, data);
    await isRepaired(place, "node2", "one");
    await vi.waitFor(
      async () => expect(await holdersOf(data)).toEqual(expect.arrayContaining(["node1", "node2"])),
      10_000,
    );
    expect(two?.command.stderr).toContain("is lost here: its bytes are not those that were saved");
  });
});

describe("a file that rots on its disk, with the times that it had", () => {
  async function rotten(place: NodeProcesses): Promise<{ client: Client; data: RemoteData }> {
    const [one, two] = await start(place, "node1", "node2", "node3");
    const data = await saveOn(place.connect(one!), "one", "node2", "node1");
    two!.command.kill("SIGTERM");
    await two!.command.exited;
    rot(place.directory("node2"), "one");
    const [again] = await start(place, "node2");
    return { client: place.connect(again!), data };
  }

  test("fault 25: a client notices by the hash, reads another replica, and the node gets a sound one", async () => {
    const place = processes();
    const { client, data } = await rotten(place);
    // At its start the node noticed nothing.
    expect(quarantined(place, "node2")).toEqual([]);
    expect((await holdersOf(data)).toSorted()).toEqual(["node1", "node2"]);
    expect(Buffer.from(await new RemoteData({ dataUrl: "one", client }).raw()).toString()).toBe(SOUND);
    await isRepaired(place, "node2", "one");
    const file = await new RemoteData({ dataUrl: "one", client }).localPath();
    expect(readFileSync(file, "utf8")).toBe(SOUND);
  });

  test("fault 25: a node that fetches it notices by the hash, and tells the one that sent it", async () => {
    const place = processes();
    const { client, data } = await rotten(place);
    const there = client.with({ node: "node3" });
    // Whichever replica was asked first, sooner or later it is the damaged one.
    await vi.waitFor(
      async () => {
        expect(Buffer.from(await there.call(functions.bytesOf, data)).toString()).toBe(SOUND);
        expect(contents(place, "node3", "one")).toBe(SOUND);
        await data.delete({ node: "node3" });
        expect(quarantined(place, "node2")).toHaveLength(1);
      },
      { timeout: 15_000 },
    );
    await isRepaired(place, "node2", "one");
  });

  test("fault 25: when every replica has rotted, the data is lost, which is said", async () => {
    const place = processes();
    const [one, two] = await start(place, "node1", "node2");
    await saveOn(place.connect(one!), "one", "node2");
    two!.command.kill("SIGTERM");
    await two!.command.exited;
    rot(place.directory("node2"), "one");
    await start(place, "node2");
    const client = place.connect(one!);
    for (let times = 0; times < 2; times += 1)
      await expect(new RemoteData({ dataUrl: "one", client }).raw()).rejects.toMatchObject({
        code: "KS_DATA_LOST",
      });
    expect(quarantined(place, "node2")).toHaveLength(1);
  });
});

const lost = { code: "KS_DATA_LOST", message: expect.stringContaining("no replica is left") };

test("fault 26: the only replica's file is removed under its node: whoever asks gets KS_DATA_LOST at once", async () => {
  const place = processes();
  const [one, two] = await start(place, "node1", "node2");
  const client = place.connect(one!);
  const urls = ["by/a/client", "by/the/node", "by/a/job", "by/a/job/there", "by/a/pipeline"];
  for (const url of urls) {
    await saveOn(client, url, "node2");
    rmSync(join(place.directory("node2"), url));
  }
  const [first = "", second = "", third = "", fourth = "", fifth = ""] = urls;
  const data = (dataUrl: string): RemoteData => new RemoteData({ dataUrl, client });
  const begunAtMs = performance.now();
  await expect(data(first).raw()).rejects.toMatchObject(lost);
  await expect(new RemoteData({ dataUrl: second, client: place.connect(two!) }).raw()).rejects.toMatchObject(
    lost,
  );
  await expect(client.with({ node: "node1" }).call(functions.bytesOf, data(third))).rejects.toMatchObject(
    lost,
  );
  await expect(client.with({ node: "node2" }).call(functions.bytesOf, data(fourth))).rejects.toMatchObject(
    lost,
  );
  await expect(data(fifth).pipeline()).rejects.toMatchObject(lost);
  await expect(data(fifth).raw()).rejects.toMatchObject(lost);
  // No job waited for it to come back, which takes 10 s.
  expect(performance.now() - begunAtMs).toBeLessThan(15_000);
  expect(await client.data.search("**")).toEqual([]);
  // Its url is free.
  await saveOn(client, first, "node1");
  expect(Buffer.from(await data(first).raw()).toString()).toBe(SOUND);
});

test("fault 26: the only replica's file is removed while its node is down: KS_DATA_LOST as soon as it is back", async () => {
  const place = processes();
  const [one, two] = await start(place, "node1", "node2");
  const client = place.connect(one!);
  const gone = await saveOn(client, "gone", "node2");
  const deleted = await saveOn(client, "deleted", "node2");
  two!.command.kill("SIGTERM");
  await two!.command.exited;
  rmSync(join(place.directory("node2"), "gone"));
  await expect(new RemoteData({ dataUrl: "gone", client }).raw()).rejects.toMatchObject({
    code: "KS_DATA_UNAVAILABLE",
  });
  const waiting = client.with({ node: "node1" }).call(functions.bytesOf, gone);
  await deleted.delete();
  const end = expect(waiting).rejects.toMatchObject(lost);
  const [again] = await start(place, "node2");
  await end;
  for (const asked of [client, place.connect(again!)]) {
    await expect(new RemoteData({ dataUrl: "gone", client: asked }).raw()).rejects.toMatchObject(lost);
    await expect(new RemoteData({ dataUrl: "deleted", client: asked }).raw()).rejects.toMatchObject({
      code: "KS_NO_SUCH_DATA",
    });
  }
  await vi.waitFor(() => expect(existsSync(join(place.directory("node2"), "deleted"))).toBe(false), 10_000);
});
