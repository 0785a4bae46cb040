/** Nodes that are killed while data move. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { RemoteData } from "kitchensink";
import { startBehindProxy } from "../../support/behind-proxy.ts";
import { nodeProcesses, type NodeInProcess, type NodeProcesses } from "../../support/node-processes.ts";
import type { Passage } from "../../support/proxy.ts";
import { useStore } from "../../support/stores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import * as functions from "../data/fixtures/functions.mjs";

const redis = useStore("redis");
let clusters = 0;
const processes = () => nodeProcesses(redis().redisConnection ?? "");
const flags = (): string[] => ["--cluster", `transfer-${++clusters}`];
const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

/** A file that is random at its beginning, and sparse. */
function largeFile(bytes: number): string {
  const path = join(temporaryDirectory(), "large.bin");
  writeFileSync(path, randomBytes(1_000_000));
  truncateSync(path, bytes);
  return path;
}

const SIZE = 200_000_000;
/** Of a head, and of what comes behind it. */
const HEAD_BYTES = 2_000;

test(
  "fault 27: the source is killed in the middle of a transfer: another one is asked for the rest, and for no more",
  { timeout: 60_000 },
  async () => {
    const place = processes();
    const cluster = flags();
    const [one, ...sources] = await Promise.all([
      place.start("node1", cluster),
      startBehindProxy(place, "node2", cluster),
      startBehindProxy(place, "node3", cluster),
    ]);
    const client = place.connect(one);
    const data = await new RemoteData({ localPath: largeFile(SIZE), client }).save({
      url: "large",
      node: "node2",
    });
    await data.pipeline({ nodes: ["node3"] });
    const isTransfer = ({ head }: Passage): boolean => head.startsWith("GET /v1/replicas/large");
    const before = new Set(sources.flatMap(({ proxy }) => proxy.passages));
    const isUnderWay = (passage: Passage): boolean =>
      !before.has(passage) && isTransfer(passage) && passage.bytesBack > 20_000_000;

    const job = client.with({ node: "node1" }).call(functions.sizeOfFile, data);
    const first = await Promise.race(sources.map((node) => node.proxy.passes(isUnderWay).then(() => node)));
    first.command.kill("SIGKILL");
    expect(await job).toBe(SIZE);

    expect(sha256(join(place.directory("node1"), "large"))).toBe((await data.info()).sha256);
    const [second] = sources.filter((node) => node !== first);
    const [rest, ...more] = second!.proxy.passages.filter(
      (passage) => !before.has(passage) && isTransfer(passage),
    );
    expect(more).toEqual([]);
    const offset = Number(/^range: bytes=(\d+)-\r$/im.exec(rest!.head)?.[1]);
    expect(offset).toBeGreaterThan(20_000_000);
    expect(rest!.bytesBack).toBeGreaterThanOrEqual(SIZE - offset);
    expect(rest!.bytesBack).toBeLessThan(SIZE - offset + HEAD_BYTES);
  },
);

test(
  "fault 28: a node of a pipeline is killed in the middle: the others get their copies, and the report names it, with the reason",
  { timeout: 60_000 },
  async () => {
    const place = processes();
    const cluster = flags();
    const nodes = await Promise.all(
      ["node1", "node2", "node3", "node4"].map((name) => place.start(name, cluster)),
    );
    const client = place.connect(nodes[0]!);
    const data = await new RemoteData({ localPath: largeFile(200_000_000), client }).save({ url: "large" });
    const dying = nodes[2]!;
    let bytes = 0;
    const { copies, failed } = await data.pipeline({
      onProgress: (progress) => {
        if (progress.node !== dying.name || progress.bytes === 0) return;
        bytes = progress.bytes;
        dying.command.kill("SIGKILL");
      },
    });
    await dying.command.exited;
    expect(bytes).toBeLessThan(200_000_000);
    expect(failed).toEqual([
      {
        node: dying.name,
        reason: expect.stringMatching(/^Cannot reach the node node3 at http.*: the connection broke off/),
      },
    ]);
    expect(copies.map(({ node, status }) => [node, status]).toSorted()).toEqual([
      ["node1", "present"],
      ["node2", "copied"],
      ["node4", "copied"],
    ]);
    const { sha256: hash, replicas } = await data.info();
    for (const name of ["node2", "node4"]) expect(sha256(join(place.directory(name), "large"))).toBe(hash);
    expect(replicas.map(({ node }) => node).toSorted()).toEqual(["node1", "node2", "node4"]);
    // The dead one's part is gone when it is back, and it can have its copy then.
    await place.start("node3", cluster);
    expect((await data.pipeline()).failed).toEqual([]);
    expect(sha256(join(place.directory("node3"), "large"))).toBe(hash);
  },
);

test(
  "fault 28: a node that was chosen for a copy is killed in the middle: another one gets it instead",
  { timeout: 60_000 },
  async () => {
    const place = processes();
    const cluster = flags();
    const nodes = await Promise.all(["node1", "node2", "node3"].map((name) => place.start(name, cluster)));
    const client = place.connect(nodes[0]!);
    const data = await new RemoteData({ localPath: largeFile(SIZE), client }).save({ url: "large" });
    let dead: string | undefined;
    const { copies, failed, shortfall } = await data.pipeline({
      copies: 2,
      onProgress: ({ node, bytes }) => {
        if (dead !== undefined || bytes === 0) return;
        dead = node;
        nodes.find(({ name }) => name === node)!.command.kill("SIGKILL");
      },
    });
    const other = dead === "node2" ? "node3" : "node2";
    expect(failed).toEqual([{ node: dead, reason: expect.stringContaining("the connection broke off") }]);
    expect(copies.map(({ node, status }) => [node, status])).toEqual([
      ["node1", "present"],
      [other, "copied"],
    ]);
    expect(shortfall).toBeNull();
    // Nobody is left for a third.
    expect((await data.pipeline({ copies: 3, nodes: ["node1", other] })).shortfall).toMatchObject({
      wanted: 3,
      reached: 2,
    });
  },
);

/** What is on its way into the directory of a node. */
function parts(place: NodeProcesses, name: string): string[] {
  return readdirSync(join(place.directory(name), ".kitchensink/incoming"));
}

const lostCoordinator = {
  code: "KS_UNAVAILABLE",
  message: expect.stringMatching(
    /^The node at http.* did not say how it ended: .*\(ask again, .*what is done stays done\)$/,
  ),
};

test(
  "fault 28: the node that was asked for a pipeline is killed in the middle: whole copies stay and are listed, parts go, and the client is told to ask again",
  { timeout: 60_000 },
  async () => {
    const place = processes();
    const cluster = flags();
    const [asked, two, three, source] = await Promise.all([
      place.start("node1", cluster),
      startBehindProxy(place, "node2", cluster),
      place.start("node3", cluster),
      startBehindProxy(place, "node4", cluster),
    ]);
    const witness = place.connect(source);
    const data = await new RemoteData({ localPath: largeFile(SIZE), client: witness }).save({
      url: "large",
      node: "node4",
    });
    const isUnderWay = ({ head, bytesBack }: Passage): boolean =>
      head.startsWith("GET /v1/replicas/large") && bytesBack > 5_000_000;
    const asking = new RemoteData({ dataUrl: "large", client: place.connect(asked) });
    const end = expect(asking.pipeline({ nodes: ["node2", "node3"] })).rejects.toMatchObject(lostCoordinator);
    // node3 gets some of it from node2 and no more, neither there nor at node4.
    await two.proxy.passes(isUnderWay);
    two.proxy.swallow();
    source.proxy.weather.isRefusing = true;
    const listed = async (): Promise<string[]> =>
      (await data.info()).replicas.map(({ node }) => node).toSorted();
    await vi.waitFor(async () => expect(await listed()).toEqual(["node2", "node4"]), 10_000);
    asked.command.kill("SIGKILL");
    await end;

    await vi.waitFor(() => expect(parts(place, "node3")).toEqual([]), 10_000);
    expect(await listed()).toEqual(["node2", "node4"]);
    two.proxy.release();
    source.proxy.accept();
    const report = await data.pipeline({ nodes: ["node2", "node3"] });
    expect(report.copies.map(({ node, status }) => [node, status])).toEqual([
      ["node2", "present"],
      ["node3", "copied"],
    ]);
    for (const { name } of [two, three])
      expect(sha256(join(place.directory(name), "large"))).toBe(report.sha256);
  },
);

test(
  "fault 28: the node that was asked for a pipeline is killed while it is the first of the chain: nothing is left of it, there and elsewhere",
  { timeout: 60_000 },
  async () => {
    const place = processes();
    const cluster = flags();
    const names = ["node1", "node2", "node3", "node4"];
    const nodes = await Promise.all(names.map((name) => place.start(name, cluster)));
    const witness = place.connect(nodes[3]!);
    const data = await new RemoteData({ localPath: largeFile(SIZE), client: witness }).save({
      url: "large",
      node: "node4",
    });
    const asking = new RemoteData({ dataUrl: "large", client: place.connect(nodes[0]!) });
    const onProgress = ({ bytes }: { bytes: number }): void => {
      if (bytes > 0) nodes[0]!.command.kill("SIGKILL");
    };
    await expect(asking.pipeline({ onProgress })).rejects.toMatchObject(lostCoordinator);
    await nodes[0]!.command.exited;
    await vi.waitFor(() => {
      for (const name of ["node2", "node3"]) expect(parts(place, name)).toEqual([]);
    }, 10_000);
    await place.start("node1", cluster);
    expect(parts(place, "node1")).toEqual([]);
    const isThere = (name: string): boolean => existsSync(join(place.directory(name), "large"));
    const { replicas } = await data.info();
    expect(replicas.map(({ node }) => node).toSorted()).toEqual(names.filter(isThere));
    expect(await data.pipeline()).toMatchObject({ copies: names.map(() => ({})), failed: [] });
  },
);

test(
  "a node is killed that keeps an upload which another one passes on: it begins anew on a third",
  { timeout: 60_000 },
  async () => {
    const place = processes();
    const cluster = flags();
    const [one, ...keepers] = await Promise.all([
      place.start("node1", [...cluster, "--read-only"]),
      place.start("node2", cluster),
      place.start("node3", cluster),
    ]);
    const client = place.connect(one);
    const path = largeFile(SIZE);
    const hasPart = ({ name }: NodeInProcess): boolean =>
      readdirSync(join(place.directory(name), ".kitchensink/incoming")).length > 0;
    const killed: string[] = [];
    const data = await new RemoteData({ localPath: path, client }).save({
      url: "large",
      onProgress: ({ bytes }) => {
        if (bytes < SIZE / 2 || killed.length > 0) return;
        for (const keeper of keepers.filter(hasPart)) {
          keeper.command.kill("SIGKILL");
          killed.push(keeper.name);
        }
      },
    });
    expect(killed).toHaveLength(1);
    const info = await data.info();
    const other = keepers.find(({ name }) => name !== killed[0])!;
    expect(info.replicas.map(({ node }) => node)).toEqual([other.name]);
    expect(info.sha256).toBe(sha256(path));
    expect(sha256(join(place.directory(other.name), "large"))).toBe(info.sha256);
  },
);
