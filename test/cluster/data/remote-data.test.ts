/** RemoteData on real nodes: what is saved, read, copied and deleted, from clients and inside jobs. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { RemoteData } from "kitchensink";
import { startCluster, type Cluster, type ClusterOptions } from "kitchensink/testing";
import { STORES, useStore } from "../../support/stores.ts";
import { keepTemporaryFilesHere } from "../../support/temporary-files.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import * as functions from "./fixtures/functions.mjs";

keepTemporaryFilesHere();

interface Place {
  readonly cluster: Cluster;
  /** Of each node. */
  readonly directories: readonly string[];
}

async function start(options: ClusterOptions): Promise<Place> {
  const root = temporaryDirectory();
  const directories = Array.from({ length: options.nodes ?? 1 }, (_, at) => join(root, `data${at + 1}`));
  const cluster = await startCluster({
    ...options,
    node: (index) => ({ dataDirectory: directories[index]!, ...options.node?.(index) }),
  });
  onTestFinished(() => cluster.close());
  return { cluster, directories };
}

describe.each(STORES)("on the %s store", (store) => {
  const connection = useStore(store);

  test("an object comes back as it was, and lies in the data directory as its codec's bytes", async () => {
    const { cluster, directories } = await start(connection());
    const { client } = cluster;
    const obj = { when: new Date(0), all: new Map([["a", new Set([1n])]]) };
    const saved = await new RemoteData({ obj, client }).save({ url: "tables/first" });
    expect(saved.dataUrl).toBe("tables/first");
    const same = new RemoteData<typeof obj>({ dataUrl: "tables/first", client });
    expect(await same.obj()).toEqual(obj);
    const file = readFileSync(join(directories[0]!, "tables/first"));
    expect(file.equals(await same.raw())).toBe(true);
    expect(await same.info()).toMatchObject({
      url: "tables/first",
      size: file.length,
      sha256: createHash("sha256").update(file).digest("hex"),
      codec: "closure",
      type: "object",
      createdAt: expect.any(Date),
      replicas: [{ node: "node1", url: cluster.urls[0], isAlive: true }],
    });
  });

  test("a file comes back with exactly its bytes, as a file, as bytes, and as a stream", async () => {
    const { cluster } = await start(connection());
    const { client } = cluster;
    const bytes = randomBytes(300_000);
    const path = join(temporaryDirectory(), "rows.bin");
    writeFileSync(path, bytes);
    await new RemoteData({ localPath: path, client }).save({ url: "files/rows.bin" });
    const data = new RemoteData({ dataUrl: "files/rows.bin", client });
    expect((await data.info()).type).toBe("file");
    expect(bytes.equals(await data.raw())).toBe(true);
    const copy = await data.localPath();
    expect(copy.endsWith("rows.bin")).toBe(true);
    expect(bytes.equals(readFileSync(copy))).toBe(true);
    const pieces: Uint8Array[] = [];
    for await (const piece of data.stream({ start: 1_000, end: 200_000 })) pieces.push(piece as Uint8Array);
    expect(bytes.subarray(1_000, 200_000).equals(Buffer.concat(pieces))).toBe(true);
  });

  test("object, path and bytes convert into each other inside a job too", async () => {
    const { cluster } = await start(connection());
    const { client } = cluster;
    const rows = [{ id: 1 }, { id: 2 }];
    const json = await new RemoteData({
      raw: Buffer.from(JSON.stringify(rows)),
      codec: "json",
      client,
    }).save();
    expect(await client.call(functions.length, json as RemoteData<unknown[]>)).toBe(2);
    expect(await client.call(functions.sizeOfFile, json)).toBe(JSON.stringify(rows).length);
    const object = await client.call(functions.saveAs<number[]>, [1, 2, 3]);
    expect(await client.call(functions.sizeOfFile, object)).toBe((await object.info()).size);
    expect(await object.obj()).toEqual([1, 2, 3]);
  });

  test("inside a job, the path is that of the node's own file, and an object is decoded once a worker", async () => {
    const { cluster, directories } = await start(connection());
    const { client } = cluster;
    const data = await new RemoteData({ obj: [{ id: 1 }], client }).save({ url: "tables/one" });
    expect(await client.call(functions.pathOf, data)).toBe(join(directories[0]!, "tables/one"));
    expect(await client.call(functions.isOneObject, data)).toBe(true);
  });

  test("apply runs a function on the object, and keeps there what it returns", async () => {
    const { cluster } = await start(connection());
    const { client } = cluster;
    const data = await new RemoteData({ obj: [3, 1, 2], client }).save();
    const sorted = await data.apply((all) => all.toSorted(), { url: "tables/sorted" });
    expect(sorted.dataUrl).toBe("tables/sorted");
    const first = await sorted.apply((all) => all[0]!);
    expect(await first.obj()).toBe(1);
  });

  test("a file is read by the codec that its pointer was given, wherever the pointer goes", async () => {
    const { cluster } = await start(connection());
    const { client } = cluster;
    const path = join(temporaryDirectory(), "rows.json");
    writeFileSync(path, "[3,1,2]");
    await new RemoteData({ localPath: path, client }).save({ url: "rows.json" });
    const rows = new RemoteData<number[]>({ dataUrl: "rows.json", codec: "json", client });
    expect(await client.call(functions.length, rows)).toBe(3);
    expect(await client.call(async () => (await rows.obj())[0])).toBe(3);
    expect(await (await rows.apply((all) => all.toSorted())).obj()).toEqual([1, 2, 3]);
    const back = await client.call((data: RemoteData<number[]>) => data, rows);
    expect(await back.obj()).toEqual([3, 1, 2]);
    const made = await client.call(
      (Data: typeof RemoteData) => new Data<number[]>({ dataUrl: "rows.json", codec: "json" }),
      RemoteData,
    );
    expect(await made.obj()).toEqual([3, 1, 2]);
  });

  test("saved data never changes: other data under its url is refused, the same is not", async () => {
    const { cluster } = await start(connection());
    const { client } = cluster;
    await new RemoteData({ obj: 1, client }).save({ url: "one" });
    await expect(new RemoteData({ obj: 2, client }).save({ url: "one" })).rejects.toMatchObject({
      code: "KS_DATA_EXISTS",
    });
    await expect(client.call(functions.saveAs, 2, { url: "one" })).rejects.toMatchObject({
      code: "KS_DATA_EXISTS",
    });
    await new RemoteData({ obj: 1, client }).save({ url: "one" });
    await client.call(functions.saveAs, 1, { url: "one" });
    expect(await new RemoteData({ dataUrl: "one", client }).obj()).toBe(1);
  });

  test("data are found by patterns, told of, and deleted", async () => {
    const { cluster, directories } = await start(connection());
    const { client } = cluster;
    for (const url of ["logs/a.csv", "logs/b.csv", "logs/deep/c.csv", "logs/d.txt", "other"])
      await new RemoteData({ raw: Buffer.from(url), client }).save({ url });
    expect(await client.data.search("logs/*csv")).toEqual(["logs/a.csv", "logs/b.csv"]);
    expect(await client.data.search("logs/**/*.csv")).toEqual([
      "logs/a.csv",
      "logs/b.csv",
      "logs/deep/c.csv",
    ]);
    expect(await client.data.search("**")).toHaveLength(5);
    const infos = await client.data.info(["other", "nothing", "logs/d.txt"]);
    expect(infos.map((info) => info?.size)).toEqual([5, undefined, 10]);
    expect(await client.data.delete("logs/deep/c.csv")).toEqual({ deleted: ["node1"], pending: [] });
    expect(existsSync(join(directories[0]!, "logs/deep"))).toBe(false);
    await expect(client.data.info("logs/deep/c.csv")).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
    await expect(client.data.delete("logs/deep/c.csv")).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
    await expect(
      client.call(functions.length, new RemoteData<unknown[]>({ dataUrl: "nothing", client })),
    ).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
  });

  test("what cannot be read is told with the line of the function that wanted it", async () => {
    const { cluster } = await start(connection());
    const data = new RemoteData<unknown[]>({ dataUrl: "nothing", client: cluster.client });
    const error: unknown = await cluster.client
      .call(functions.length, data)
      .catch((thrown: unknown) => thrown);
    const [message, first] = (error as Error).stack?.split("\n") ?? [];
    expect(message).toContain("Nothing is saved under nothing");
    expect(first).toMatch(/at async length \(.*fixtures\/functions\.mjs:\d+:\d+\)$/);
  });

  test("of saves of one url at the same time, one wins", async () => {
    const { cluster } = await start(connection());
    const { client } = cluster;
    const ends = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) => new RemoteData({ obj: at, client }).save({ url: "one" })),
    );
    const won = ends.flatMap((end, at) => (end.status === "fulfilled" ? [at] : []));
    expect(won).toHaveLength(1);
    for (const end of ends)
      if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "KS_DATA_EXISTS" });
    expect(await new RemoteData({ dataUrl: "one", client }).obj()).toBe(won[0]);
  });

  test("data that brings code along is refused where captured functions are banned", async () => {
    const { cluster } = await start({
      ...connection(),
      arbitrary: false,
      modules: ["./test/cluster/data/fixtures/registered.mjs"],
    });
    const { client } = cluster;
    const code = await new RemoteData({ obj: [() => 1], client }).save();
    const plain = await new RemoteData({ obj: [1, 2], client }).save();
    expect(await client.call("length", plain)).toBe(2);
    const response = await fetch(new URL("/rpc/default/length", cluster.urls[0]), {
      method: "POST",
      headers: { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" },
      body: JSON.stringify([{ "kitchensink:data": plain.dataUrl }]),
    });
    expect(await response.json()).toBe(2);
    await expect(client.call("length", code)).rejects.toMatchObject({ code: "KS_ARBITRARY_BANNED" });
    // Nor by bytes without a codec, of which the pointer says that they are such data.
    const raw = await new RemoteData({ raw: await code.raw(), client }).save();
    for (const dataUrl of [raw.dataUrl!, code.dataUrl!])
      await expect(
        client.call("length", new RemoteData({ dataUrl, codec: "closure", client })),
      ).rejects.toMatchObject({ code: "KS_ARBITRARY_BANNED" });
  });

  test("with plain HTTP, a pointer to a file says the codec by a second key", async () => {
    const { cluster } = await start({
      ...connection(),
      modules: ["./test/cluster/data/fixtures/registered.mjs"],
    });
    await new RemoteData({ raw: Buffer.from("[1,2,3]"), client: cluster.client }).save({ url: "rows.json" });
    const response = await fetch(new URL("/rpc/default/length", cluster.urls[0]), {
      method: "POST",
      headers: { authorization: `Bearer ${cluster.token}`, "content-type": "application/json" },
      body: JSON.stringify([{ "kitchensink:data": "rows.json", "kitchensink:codec": "json" }]),
    });
    expect(await response.json()).toBe(3);
  });
});

describe("on three nodes", () => {
  const redis = useStore("redis");
  const three = (): Promise<Place> => start({ ...redis(), nodes: 3 });

  test("of saves of one url on different nodes at the same time, one wins, and the others leave no file", async () => {
    const { cluster, directories } = await three();
    const ends = await Promise.allSettled(
      [0, 1, 2].map((at) => new RemoteData({ obj: at, client: cluster.connect(at) }).save({ url: "one" })),
    );
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(directories.filter((directory) => existsSync(join(directory, "one")))).toHaveLength(1);
  });

  test("a file is read on another node by the codec that its pointer was given", async () => {
    const { cluster } = await three();
    const { client } = cluster;
    await new RemoteData({ raw: Buffer.from("[1,2,3]"), client }).save({ url: "rows.json", node: "node1" });
    const rows = new RemoteData<number[]>({ dataUrl: "rows.json", codec: "json", client });
    expect(await client.with({ node: "node3" }).call(functions.length, rows)).toBe(3);
    expect((await rows.info()).replicas.map(({ node }) => node)).toEqual(["node1", "node3"]);
  });

  test("a node that lacks the data fetches it for a job, keeps it, and is listed", async () => {
    const { cluster, directories } = await three();
    const { client } = cluster;
    const bytes = randomBytes(2_000_000);
    const data = await new RemoteData({ raw: bytes, client }).save({ url: "raw", node: "node1" });
    expect(await client.with({ node: "node3" }).call(functions.pathOf, data)).toBe(
      join(directories[2]!, "raw"),
    );
    expect(bytes.equals(readFileSync(join(directories[2]!, "raw")))).toBe(true);
    expect((await data.info()).replicas.map(({ node }) => node)).toEqual(["node1", "node3"]);
    // At once from several jobs: one copy.
    const paths = await Promise.all(
      [1, 2, 3].map(() => client.with({ node: "node2" }).call(functions.pathOf, data)),
    );
    expect(new Set(paths)).toEqual(new Set([join(directories[1]!, "raw")]));
  });

  test("any node gives and takes any data", async () => {
    const { cluster } = await three();
    const [first, second, third] = [0, 1, 2].map((at) => cluster.connect(at));
    await new RemoteData({ obj: "there", client: first! }).save({ url: "one", node: "node2" });
    for (const client of [first, second, third])
      expect(await new RemoteData({ dataUrl: "one", client: client! }).obj()).toBe("there");
    const pieces: Uint8Array[] = [];
    const part = new RemoteData({ dataUrl: "one", client: third! }).stream({ start: 2, end: 4 });
    for await (const piece of part) pieces.push(piece as Uint8Array);
    expect(Buffer.concat(pieces)).toHaveLength(2);
    expect(await third!.data.delete("one")).toEqual({ deleted: ["node2"], pending: [] });
  });

  test("a result is saved where the job ran, or where it was told to", async () => {
    const { cluster } = await three();
    const client = cluster.client.with({ node: "node2" });
    const here = await client.call(functions.saveAs, "x");
    expect((await here.info()).replicas.map(({ node }) => node)).toEqual(["node2"]);
    const there = await client.call(functions.saveAs, "x", { node: "node3" });
    expect((await there.info()).replicas.map(({ node }) => node)).toEqual(["node3"]);
  });

  test("one node's replica can be deleted, and the others stay", async () => {
    const { cluster, directories } = await three();
    const { client } = cluster;
    const data = await new RemoteData({ obj: 1, client }).save({ url: "one", node: "node1" });
    await data.pipeline();
    expect(await data.delete({ node: "node2" })).toEqual({ deleted: ["node2"], pending: [] });
    expect(directories.map((directory) => existsSync(join(directory, "one")))).toEqual([true, false, true]);
    expect((await data.info()).replicas.map(({ node }) => node)).toEqual(["node1", "node3"]);
  });

  // On a busy machine they take their time.
  test("ten thousand small objects are saved, found and read", { timeout: 180_000 }, async () => {
    const { cluster } = await three();
    const { client } = cluster;
    const urls = Array.from({ length: 10_000 }, (_, at) => `many/${String(at).padStart(5, "0")}`);
    for (let from = 0; from < urls.length; from += 200)
      await Promise.all(
        urls
          .slice(from, from + 200)
          .map((url, at) => new RemoteData({ obj: from + at, client }).save({ url })),
      );
    expect(await client.data.search("many/*")).toEqual(urls);
    expect(await client.data.search("many/0123?")).toHaveLength(10);
    const sum = await client.call(
      functions.sumOf,
      urls.slice(0, 1_000).map((dataUrl) => new RemoteData<number>({ dataUrl, client })),
    );
    expect(sum).toBe(499_500);
    await expect(
      (async () =>
        client.call(
          functions.sumOf,
          urls.slice(0, 1_001).map((dataUrl) => new RemoteData<number>({ dataUrl, client })),
        ))(),
    ).rejects.toMatchObject({ code: "KS_TOO_LARGE", message: expect.stringContaining("routeData: false") });
  });

  test("files that are there already are adopted without being copied", async () => {
    const { cluster, directories } = await three();
    const { client } = cluster;
    const file = join(directories[1]!, "rows.csv");
    writeFileSync(file, "a,b\n1,2\n");
    const { ino } = statSync(file);
    const { adopted, refused } = await client.data.adopt(["*.csv"], { node: "node2" });
    expect({ urls: adopted.map(({ url }) => url), refused }).toEqual({ urls: ["rows.csv"], refused: [] });
    expect(statSync(file).ino).toBe(ino);
    const data = new RemoteData({ dataUrl: "rows.csv", client });
    expect(await data.info()).toMatchObject({ type: "file", codec: null, replicas: [{ node: "node2" }] });
    expect(Buffer.from(await data.raw()).toString()).toBe("a,b\n1,2\n");
    await expect(data.obj()).rejects.toMatchObject({ code: "KS_USAGE" });
  });

  test("a file under the url of other data is not adopted, and nobody reads it for that", async () => {
    const { cluster, directories } = await three();
    const { client } = cluster;
    const text = async (data: RemoteData): Promise<string> => Buffer.from(await data.raw()).toString();
    const saved = await new RemoteData({ raw: Buffer.from("true"), client }).save({
      url: "t",
      node: "node1",
    });
    writeFileSync(join(directories[1]!, "t"), "other");
    for (let time = 0; time < 2; time += 1)
      expect(await client.data.adopt(["t"], { node: "node2" })).toEqual({
        adopted: [],
        refused: [{ path: "t", reason: expect.stringContaining("other data is saved under this url") }],
      });
    const atNode2 = new RemoteData({ dataUrl: "t", client: cluster.connect(1) });
    expect(await text(atNode2)).toBe("true");
    // It cannot keep a copy, for the file is in its place, and reads where the data are.
    expect(await client.with({ node: "node2" }).call(text, saved)).toBe("true");
    const path = client.with({ node: "node2" }).call((data: RemoteData) => data.localPath(), saved);
    await expect(path).rejects.toThrow(/a file that is not in the catalog lies in its place: .*\/t /);
    await saved.delete();
    await expect(atNode2.raw()).rejects.toMatchObject({ code: "KS_NO_SUCH_DATA" });
    expect(readFileSync(join(directories[1]!, "t"), "utf8")).toBe("other");
  });
});
