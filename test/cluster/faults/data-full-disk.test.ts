/** Nodes whose data directories are on small disks, which get full. */
import { existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { RemoteData, type Client } from "kitchensink";
import type { NodeStatus } from "../../../src/client/listings.ts";
import { canMount, fillDisk, mountDisk } from "../../support/disk.ts";
import { nodeProcesses, type NodeInProcess } from "../../support/node-processes.ts";
import { useStore } from "../../support/stores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import * as functions from "../data/fixtures/functions.mjs";

const MIB = 1024 * 1024;
const figures =
  /"large": the disk of the data directory has [\d.]+ MB free, and 801 MB are needed, 67 MB of them as a reserve \(delete data/;
const redis = useStore("redis");
let clusters = 0;
const place = () => nodeProcesses(redis().redisConnection ?? "");
const flags = (): string[] => ["--cluster", `full-${++clusters}`];

const incoming = (disk: string): string[] => readdirSync(join(disk, ".kitchensink/incoming"));

async function statusOf(client: Client, name: string): Promise<NodeStatus | undefined> {
  return (await client.nodes()).find((node) => node.name === name);
}

const saysFull = ({ command }: NodeInProcess): number => command.stderr.split("is full").length - 1;

test.skipIf(!canMount)(
  "fault 24: a disk that gets full under a job fails the job with the figures, leaves no part, and a retry may find room (skipped where no disk can be mounted)",
  async () => {
    const nodes = place();
    // What fills the disk has to be faster than what arrives there, on a busy machine too.
    const disk = mountDisk(1_000);
    const one = await nodes.start("node1", [...flags(), "--datadir", disk]);
    const client = nodes.connect(one);
    const source = join(temporaryDirectory(), "source.bin");
    writeFileSync(source, "");
    truncateSync(source, 700 * MIB);
    const other = join(disk, ".other");
    await expect(
      client.call(functions.saveWhileFilling, source, other, { url: "large" }),
    ).rejects.toMatchObject({
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringMatching(figures),
    });
    expect(incoming(disk)).toEqual([]);
    expect(existsSync(join(disk, "large"))).toBe(false);
    expect(await client.data.search("**")).toEqual([]);
    rmSync(other);
    const saved = await client
      .with({ retries: 1 })
      .call(functions.saveWhileFilling, source, other, { url: "large" });
    expect(await saved.info()).toMatchObject({ size: 700 * MIB, replicas: [{ node: "node1" }] });
  },
);

test.skipIf(!canMount)(
  "fault 24: a node whose disk is full takes no new data, says so, and data go elsewhere until there is room again",
  { timeout: 60_000 },
  async () => {
    const nodes = place();
    const disk = mountDisk(192);
    const cluster = flags();
    const start = () => nodes.start("node1", [...cluster, "--datadir", disk]);
    const [one] = await Promise.all([start(), nodes.start("node2", cluster)]);
    const client = nodes.connect(one);
    const save = (url: string, node?: string): Promise<RemoteData<string>> =>
      new RemoteData({ obj: `the bytes of ${url}`, client }).save({ url, node });
    const holders = async (url: string): Promise<string[]> =>
      (await client.data.info(url)).replicas.map(({ node }) => node);
    await save("before");
    expect(await holders("before")).toEqual(["node1"]);

    const other = join(disk, ".other");
    fillDisk(other, 8_192);
    await vi.waitFor(
      async () => expect(await statusOf(client, "node1")).toMatchObject({ isFull: true }),
      10_000,
    );
    expect((await statusOf(client, "node1"))?.freeBytes).toBeLessThan(64 * MIB);
    expect(await statusOf(client, "node2")).toMatchObject({ isFull: false });
    const response = await fetch(new URL("/v1/nodes", one.url), {
      headers: { authorization: `Bearer ${nodes.token}` },
    });
    expect(await response.json()).toMatchObject({
      nodes: expect.arrayContaining([expect.objectContaining({ name: "node1", isFull: true })]),
    });

    // To whom nobody named a node, it makes no difference.
    await save("elsewhere");
    expect(await holders("elsewhere")).toEqual(["node2"]);
    const here = client.with({ node: "node1" });
    const made = await here.call(functions.saveAs, "made", { url: "made" });
    expect(await made.info()).toMatchObject({ replicas: [{ node: "node2" }] });
    // Jobs on it read what it has no room for where it is.
    expect(
      await here.call(functions.length, (await save("far", "node2")) as unknown as RemoteData<string[]>),
    ).toBe(16);
    expect(await here.call(() => "unhurt")).toBe("unhurt");
    // A result that is too large for the store is data too.
    expect((await here.call(() => Buffer.alloc(3_000_000))).length).toBe(3_000_000);
    // Who wants it there gets the figures.
    await expect(save("named", "node1")).rejects.toMatchObject({
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringMatching(
        /Cannot save at node1: its disk has [\d.]+ [kM]?B free.*choose another node/,
      ),
    });
    const far = new RemoteData({ dataUrl: "far", client });
    await expect(here.call(functions.pathOf, far)).rejects.toMatchObject({
      code: "KS_DATA_UNAVAILABLE",
      message: expect.stringMatching(/on node1: it has no replica, and the disk .* as a reserve/),
    });
    expect(await far.pipeline()).toMatchObject({
      copies: [{ node: "node2", status: "present" }],
      failed: [],
    });
    expect((await far.pipeline({ nodes: ["node1"] })).failed).toEqual([
      { node: "node1", reason: "its disk is full" },
    ]);
    expect(incoming(disk)).toEqual([]);
    expect(saysFull(one)).toBe(1);

    // What it has it serves and deletes, and it can be started again.
    one.command.kill("SIGTERM");
    expect(await one.command.exited).toBe(0);
    const again = await start();
    const back = nodes.connect(again);
    expect(await new RemoteData<string>({ dataUrl: "before", client: back }).obj()).toBe(
      "the bytes of before",
    );
    expect(saysFull(again)).toBe(1);
    fillDisk(other);
    expect(await back.data.delete("before")).toEqual({ deleted: ["node1"], pending: [] });
    expect(existsSync(join(disk, "before"))).toBe(false);

    rmSync(other);
    await vi.waitFor(
      async () => expect(await statusOf(back, "node1")).toMatchObject({ isFull: false }),
      10_000,
    );
    expect(again.command.stderr).toContain("this node takes data again");
    await new RemoteData({ obj: 1, client: back }).save({ url: "after" });
    expect((await back.data.info("after")).replicas.map(({ node }) => node)).toEqual(["node1"]);
    const { failed } = await new RemoteData({ dataUrl: "far", client: back }).pipeline();
    expect(failed).toEqual([]);

    // The journal and the catalog agree with the files.
    again.command.kill("SIGKILL");
    await again.command.exited;
    const third = await start();
    const last = nodes.connect(third);
    expect(await last.data.search("**")).toEqual(["after", "elsewhere", "far", "made"]);
    expect((await last.data.info("far")).replicas.map(({ node }) => node)).toEqual(["node1", "node2"]);
    expect(third.command.stderr).not.toMatch(/cannot be read|is lost/);
  },
);

test.skipIf(!canMount)(
  "fault 24: of what is saved at once, only as much as there is room for is begun on a disk; the rest goes elsewhere",
  async () => {
    const nodes = place();
    const cluster = flags();
    const start = (name: string, disk: string) => nodes.start(name, [...cluster, "--datadir", disk]);
    const [one] = await Promise.all([start("node1", mountDisk(192)), start("node2", mountDisk(400))]);
    const client = nodes.connect(one);
    const urls = ["a", "b"];
    await client.with({ node: "node1" }).call(functions.saveAtOnce, urls, 80 * MIB);
    const infos = await Promise.all(urls.map((url) => client.data.info(url)));
    expect(infos.flatMap(({ replicas }) => replicas.map(({ node }) => node)).toSorted()).toEqual([
      "node1",
      "node2",
    ]);
  },
);

test.skipIf(!canMount)(
  "fault 24: what a client had sent that was killed in the middle gives way to the same data, sent again",
  async () => {
    const nodes = place();
    const one = await nodes.start("node1", [...flags(), "--datadir", mountDisk(192)]);
    const bytes = Buffer.alloc(80 * MIB, "it is sent again");
    const headers = { authorization: `Bearer ${nodes.token}` };
    const sending = request(new URL("/v1/data/large", one.url), {
      method: "PUT",
      headers: { ...headers, "content-type": "application/octet-stream", "content-length": bytes.length },
    });
    sending.setHeader("kitchensink-upload", "killed-client");
    sending.on("error", () => {});
    await new Promise((resolve) => sending.write(bytes.subarray(0, 60 * MIB), resolve));
    sending.destroy();
    await vi.waitFor(async () => {
      const asked = await fetch(new URL("/v1/uploads/killed-client", one.url), { method: "HEAD", headers });
      expect(asked.status).toBe(200);
    });
    const client = nodes.connect(one);
    const saved = await new RemoteData({ raw: bytes, client }).save({ url: "large" });
    expect(await saved.info()).toMatchObject({ size: bytes.length, replicas: [{ node: "node1" }] });
  },
);
