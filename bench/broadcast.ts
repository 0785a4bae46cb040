// How long a broadcast to many hosts takes, beside one copy: hosts with 1 Gbit/s each, in network namespaces. As root.
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../src/client/client.ts";
import { RemoteData } from "../src/client/remote-data/remote-data.ts";
import { freePort, startServer } from "../test/store/support/redis.ts";
import { makeHosts } from "./support/hosts.ts";
import { startBenchNode, type BenchNode } from "./support/node-process.ts";

const HOSTS = 8;
const MBIT = 1_000;
const ROUNDS = 3;
const PIECE = 100_000_000;
const SIZE = 1_000_000_000;

const hosts = makeHosts(HOSTS, { mbit: MBIT });
const nodes: BenchNode[] = [];
const port = await freePort();
const redis = await startServer({
  args: ["--port", String(port), "--bind", hosts.bridge, "--protected-mode", "no"],
});
try {
  for (const [at, address] of hosts.addresses.entries())
    nodes.push(
      await startBenchNode(
        [
          ["--no-redis", "--redis-connection", `tcp://${hosts.bridge}:${port}?db=9`],
          ["--node-name", `n${at + 1}`, "--host", "0.0.0.0", "--node-url", `http://${address}:6323/`],
          ["--node-port", "6323", "--num-workers", "1"],
        ].flat(),
        { prefix: hosts.commandOn(at) },
      ),
    );
  await measure(nodes[0]!);
} finally {
  await Promise.all(nodes.map((node) => node.stop()));
  await redis.stop();
  hosts.remove();
}

async function measure({ url, token }: BenchNode): Promise<void> {
  const client = new Client(url, { token, output: "off" });
  const data = await randomFile(async (path) =>
    new RemoteData({ localPath: path, client }).save({ url: "bench", node: "n1" }),
  );
  const times: { one: number[]; all: number[] } = { one: [], all: [] };
  // The first pages of memory, and code that is not compiled yet, cost more.
  await copy(data, undefined);
  for (let round = 0; round < ROUNDS; round++) {
    times.one.push(await copy(data, ["n2"]));
    times.all.push(await copy(data, undefined));
  }
  await client.close();
  const [one, all] = [median(times.one), median(times.all)];
  console.table([
    { what: "one copy", "median s": one.toFixed(2), range: rangeOf(times.one) },
    { what: `${HOSTS - 1} copies`, "median s": all.toFixed(2), range: rangeOf(times.all) },
    { what: "ratio", "median s": (all / one).toFixed(2), range: "" },
  ]);
  console.log(
    `${SIZE / 1e6} MB over ${HOSTS} hosts with ${MBIT} Mbit/s each; one copy: ${((SIZE * 8) / one / 1e6).toFixed(0)} Mbit/s`,
  );
}

/** Gives `use` a file of random bytes, which is removed afterwards. */
async function randomFile<T>(use: (path: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "kitchensink-bench-"));
  try {
    const path = join(directory, "random");
    for (let written = 0; written < SIZE; written += PIECE) appendFileSync(path, randomBytes(PIECE));
    return await use(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** In seconds. The copies are gone afterwards. */
async function copy(data: RemoteData, to: readonly string[] | undefined): Promise<number> {
  const begunAt = performance.now();
  const { copies, failed } = await data.pipeline(to === undefined ? {} : { nodes: to });
  const tookMs = performance.now() - begunAt;
  if (failed.length > 0) throw new Error(`Not copied: ${JSON.stringify(failed)}`);
  for (const { node, status } of copies) if (status === "copied") await data.delete({ node });
  return tookMs / 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function rangeOf(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
}
