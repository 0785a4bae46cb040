/** Nodes that live, and cannot reach each other: their addresses lead through proxies. */
import { expect, test } from "vitest";
import { RemoteData, type Client } from "kitchensink";
import { startBehindProxy } from "../../support/behind-proxy.ts";
import { nodeProcesses, type NodeInProcess, type NodeProcesses } from "../../support/node-processes.ts";
import type { Passage, Proxy } from "../../support/proxy.ts";
import { useStore } from "../../support/stores.ts";
import * as functions from "../data/fixtures/functions.mjs";

const redis = useStore("redis");
let clusters = 0;

interface Cluster {
  readonly place: NodeProcesses;
  readonly client: Client;
  /** The way of all others to the node `node2`. */
  readonly proxy: Proxy;
  readonly one: NodeInProcess;
  readonly flags: readonly string[];
}

async function start(): Promise<Cluster> {
  const place = nodeProcesses(redis().redisConnection ?? "");
  const flags = ["--cluster", `cut-off-${++clusters}`];
  const [one, two] = await Promise.all([
    place.start("node1", flags),
    startBehindProxy(place, "node2", flags),
  ]);
  return { place, client: place.connect(one), proxy: two.proxy, one, flags };
}

const WAYS = {
  "swallows all that is said": (proxy: Proxy) => proxy.swallow(),
  "refuses connections": (proxy: Proxy) => proxy.refuse(),
};

const unavailable = { code: "KS_DATA_UNAVAILABLE", message: expect.stringContaining("node2") };

test.each(Object.entries(WAYS))(
  "fault 14: the way to a node %s: another replica serves jobs and clients, and what has no other is unavailable",
  { timeout: 60_000 },
  async (_, cut) => {
    const { place, client, proxy, flags } = await start();
    await place.start("node3", flags);
    const data = await new RemoteData({ obj: [1, 2, 3], client }).save({ url: "numbers", node: "node2" });
    await data.pipeline({ nodes: ["node3"] });
    await new RemoteData({ obj: "alone", client }).save({ url: "alone", node: "node2" });
    cut(proxy);
    const alone = expect(new RemoteData({ dataUrl: "alone", client }).obj()).rejects.toMatchObject(
      unavailable,
    );
    expect(await new RemoteData({ dataUrl: "numbers", client }).obj()).toEqual([1, 2, 3]);
    const job = client.with({ node: "node1" }).call(functions.length, data);
    expect(await job).toBe(3);
    // The node is no less in the cluster for it: what it runs itself, it has.
    expect(await client.with({ node: "node2" }).call(functions.length, data)).toBe(3);
    expect((await data.info()).replicas.every(({ isAlive }) => isAlive)).toBe(true);
    await alone;
  },
);

test(
  "fault 14: when there is no other replica, all who want the data get KS_DATA_UNAVAILABLE by a deadline, and the data when the way is free",
  { timeout: 60_000 },
  async () => {
    const { client, proxy } = await start();
    const data = await new RemoteData({ raw: Buffer.alloc(1_000), client }).save({
      url: "one",
      node: "node2",
    });
    const third = await new RemoteData({ raw: Buffer.alloc(9), client }).save({ url: "third" });
    const here = client.with({ node: "node1" });
    proxy.swallow();
    const begunAtMs = performance.now();
    const saving = new RemoteData({ raw: Buffer.alloc(1_000_000), client }).save({ url: "x", node: "node2" });
    const [{ failed }] = await Promise.all([
      third.pipeline(),
      expect(here.call(functions.sizeOfFile, data)).rejects.toMatchObject({
        code: "KS_DATA_UNAVAILABLE",
        message: expect.stringContaining(`"one"`),
      }),
      expect(new RemoteData({ dataUrl: "one", client }).raw()).rejects.toMatchObject(unavailable),
      expect(saving).rejects.toMatchObject(unavailable),
    ]);
    expect(failed).toEqual([
      { node: "node2", reason: expect.stringContaining("Cannot reach the node node2") },
    ]);
    // The page says 20 s; this machine may be busy.
    expect(performance.now() - begunAtMs).toBeLessThan(40_000);
    proxy.release();
    expect(await here.call(functions.sizeOfFile, data)).toBe(1_000);
    expect((await new RemoteData({ dataUrl: "one", client }).raw()).length).toBe(1_000);
  },
);

test(
  "fault 14: a client's read that is cut off in the middle goes on with another replica",
  { timeout: 60_000 },
  async () => {
    const { place, client, proxy, flags } = await start();
    const three = await startBehindProxy(place, "node3", flags);
    const bytes = Buffer.alloc(60_000_000, "0123456789");
    const data = await new RemoteData({ raw: bytes, client }).save({ url: "large", node: "node2" });
    await data.pipeline({ nodes: ["node3"] });
    const reading = new RemoteData({ dataUrl: "large", client }).raw();
    const isServing = ({ head, bytesBack }: Passage): boolean =>
      head.startsWith("GET /v1/data/large") && bytesBack > 5_000_000;
    const serving = await Promise.race(
      [proxy, three.proxy].map((way) => way.passes(isServing).then(() => way)),
    );
    serving.swallow();
    expect(Buffer.compare(Buffer.from(await reading), bytes)).toBe(0);
    const [other] = [proxy, three.proxy].filter((way) => way !== serving);
    const { head = "" } =
      other?.passages.findLast((passage) => passage.head.startsWith("GET /v1/data/")) ?? {};
    // Only the rest was asked of the other one.
    expect(Number(/^range: bytes=(\d+)-/im.exec(head)?.[1])).toBeGreaterThan(4_000_000);
  },
);
