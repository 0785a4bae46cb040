/** Transfers between clients and real nodes, over connections that are cut. */
import { randomBytes } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Client, RemoteData } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { useStore } from "../../support/stores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const redis = useStore("redis");

interface Proxy {
  readonly url: string;
  /** How many connections it has cut. */
  readonly cuts: () => number;
}

/** Passes bytes on to a node, and cuts each of its first connections after so many in one direction. */
async function cuttingProxy(
  node: string,
  { times, afterBytes, direction }: { times: number; afterBytes: number; direction: "up" | "down" },
): Promise<Proxy> {
  let cuts = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(node).port), "127.0.0.1");
    let passed = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const [from, to] = direction === "up" ? [client, upstream] : [upstream, client];
    from.on("data", (chunk: Buffer) => {
      passed += chunk.length;
      if (!to.write(chunk)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
      if (passed < afterBytes || cuts >= times) return;
      cuts += 1;
      client.destroy();
    });
    to.pipe(from);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, cuts: () => cuts };
}

async function start(options: Parameters<typeof startCluster>[0] = {}): Promise<Cluster> {
  const cluster = await startCluster(options);
  onTestFinished(() => cluster.close());
  return cluster;
}

function through(proxy: Proxy, { token }: Cluster): Client {
  const client = new Client(proxy.url, { token, output: "off" });
  onTestFinished(() => client.close());
  return client;
}

const bytes = randomBytes(6_000_000);

test.each([
  ["to the node that keeps it", undefined],
  ["by way of another node", "node2"],
])("an upload %s goes on where the connection was cut", async (_, node) => {
  const cluster = await start({ ...redis(), nodes: 2 });
  const proxy = await cuttingProxy(cluster.urls[0]!, { times: 2, afterBytes: 2_500_000, direction: "up" });
  const sent: number[] = [];
  const data = new RemoteData({ raw: bytes, client: through(proxy, cluster) });
  await data.save({ url: "raw", node, onProgress: (progress) => sent.push(progress.bytes) });
  expect(proxy.cuts()).toBe(2);
  expect(bytes.equals(await new RemoteData({ dataUrl: "raw", client: cluster.client }).raw())).toBe(true);
  // It never began anew.
  expect(sent.filter((total) => total <= 300_000)).toHaveLength(1);
});

test("a download goes on where the connection was cut", async () => {
  const cluster = await start();
  await new RemoteData({ raw: bytes, client: cluster.client }).save({ url: "raw" });
  const proxy = await cuttingProxy(cluster.urls[0]!, { times: 2, afterBytes: 2_500_000, direction: "down" });
  const client = through(proxy, cluster);
  expect(bytes.equals(await new RemoteData({ dataUrl: "raw", client }).raw())).toBe(true);
  expect(proxy.cuts()).toBe(2);
});

test("an upload that is given up leaves nothing at the node", async () => {
  const dataDirectory = join(temporaryDirectory(), "data");
  const cluster = await start({ node: () => ({ dataDirectory }) });
  const path = join(temporaryDirectory(), "large.bin");
  writeFileSync(path, bytes);
  const stop = new AbortController();
  const saving = new RemoteData({ localPath: path, client: cluster.client }).save({
    url: "raw",
    signal: stop.signal,
    onProgress: () => stop.abort(new Error("enough")),
  });
  await expect(saving).rejects.toThrow("enough");
  await vi.waitFor(() => expect(readdirSync(join(dataDirectory, ".kitchensink/incoming"))).toEqual([]));
  expect(await cluster.client.data.search("**")).toEqual([]);
});
