import { Redis } from "ioredis";
import { tlsOptions, tlsSettings, type Certificates } from "./certificates.ts";
import { freePort, startServer, type TestServer } from "./redis.ts";

const SLOTS = 16_384;
/** A node that is silent for so long has failed, and its replica takes over soon. */
const NODE_TIMEOUT_MS = 1_000;
const LOOK_AGAIN_MS = 50;

export interface TestClusterNode extends TestServer {
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly busPort: number;
  readonly id: string;
  /** A connection of the test's own; closed when the node is stopped. */
  readonly raw: Redis;
}

/** A Redis Cluster of a test's own, its slots shared evenly among its masters. */
export interface TestRedisCluster {
  readonly address: string;
  readonly masters: readonly TestClusterNode[];
  readonly replicas: readonly TestClusterNode[];
  /** The master that serves this key. */
  ownerOf(key: string): Promise<TestClusterNode>;
  stop(): Promise<void>;
}

interface ClusterShape {
  readonly masters?: number;
  /** Masters that have a replica, counted from the first. */
  readonly replicas?: number;
  readonly password?: string;
  /** Listen with TLS too; the address is for that. */
  readonly certificates?: Certificates;
}

/** Starts a Redis Cluster on free ports of this machine; nothing but redis-server is needed. */
export async function startRedisCluster(shape: ClusterShape = {}): Promise<TestRedisCluster> {
  const { masters: masterCount = 3, replicas: replicaCount = 0, password, certificates } = shape;
  const nodes: TestClusterNode[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let index = 0; index < masterCount + replicaCount; index += 1) nodes.push(await startNode(shape));
    const masters = nodes.slice(0, masterCount);
    const replicas = nodes.slice(masterCount);
    await join(nodes, masters);
    for (const [index, { raw }] of replicas.entries()) await raw.cluster("REPLICATE", masters[index]!.id);
    for (const { raw } of replicas)
      await until(async () => (await raw.info("replication")).includes("_link_status:up"));
    await until(async () => (await seenReplicas(masters)) === replicaCount * masterCount);
    const login = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    const scheme = certificates === undefined ? "redis" : "rediss";
    const options =
      certificates === undefined ? "" : `?${new URLSearchParams(tlsOptions(certificates)).toString()}`;
    const hosts = masters.map(({ port, tlsPort }) => `127.0.0.1:${tlsPort ?? port}`).join(",");
    return {
      address: `${scheme}+cluster://${login}${hosts}${options}`,
      masters,
      replicas,
      ownerOf: (key) => ownerOf(key, nodes),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves when it is so. Redis tells nobody when a cluster has agreed on something. */
export async function until(isSo: () => Promise<boolean>, limitMs = 15_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > limit) throw new Error("The cluster of the test did not come to agree");
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

async function startNode({ password, certificates }: ClusterShape): Promise<TestClusterNode> {
  const [port, busPort] = [await freePort(), await freePort()];
  const tlsPort = certificates === undefined ? undefined : await freePort();
  const settings: Readonly<Record<string, string>> = {
    "--port": String(port),
    "--cluster-enabled": "yes",
    "--cluster-announce-ip": "127.0.0.1",
    "--cluster-port": String(busPort),
    "--cluster-node-timeout": String(NODE_TIMEOUT_MS),
    "--repl-diskless-sync-delay": "0",
    ...(certificates === undefined || tlsPort === undefined
      ? {}
      : { "--tls-cluster": "yes", ...tlsSettings(certificates, tlsPort) }),
    ...(password === undefined ? {} : { "--requirepass": password, "--masterauth": password }),
  };
  const server = await startServer({ args: Object.entries(settings).flat() });
  const raw = new Redis({ host: "127.0.0.1", port, ...(password === undefined ? {} : { password }) });
  // A node that a test kills is no news.
  raw.on("error", () => {});
  const stop = async (): Promise<void> => {
    raw.disconnect();
    await server.stop();
  };
  return { ...server, port, tlsPort, busPort, id: await raw.cluster("MYID"), raw, stop };
}

async function join(nodes: readonly TestClusterNode[], masters: readonly TestClusterNode[]): Promise<void> {
  for (const [index, { raw }] of masters.entries()) {
    const [from, to] = [index, index + 1].map((part) => Math.floor((part * SLOTS) / masters.length));
    await raw.call("CLUSTER", "ADDSLOTSRANGE", from!, to! - 1);
  }
  for (const [index, { raw }] of nodes.entries()) await raw.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
  const [first, ...others] = nodes;
  for (const { port, tlsPort, busPort } of others)
    await first!.raw.call("CLUSTER", "MEET", "127.0.0.1", tlsPort ?? port, busPort);
  for (const { raw } of nodes)
    await until(async () => {
      const info = await raw.cluster("INFO");
      return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${nodes.length}\r`);
    });
}

/** Replicas that masters know of, added up. */
async function seenReplicas(masters: readonly TestClusterNode[]): Promise<number> {
  const tables = await Promise.all(masters.map(({ raw }) => raw.cluster("NODES")));
  return tables
    .map((table) => String(table).split("slave").length - 1)
    .reduce((sum, count) => sum + count, 0);
}

async function ownerOf(key: string, nodes: readonly TestClusterNode[]): Promise<TestClusterNode> {
  for (const node of nodes) {
    if (node.raw.status !== "ready") continue;
    const slot = await node.raw.cluster("KEYSLOT", key);
    const table = await node.raw.cluster("SLOTS");
    const [, , master] = table.find(([from, to]) => from <= slot && slot <= to) ?? [];
    const id = master?.[2];
    const owner = nodes.find((other) => other.id === id);
    if (owner !== undefined) return owner;
  }
  throw new Error(`No node of the cluster serves ${key}`);
}
