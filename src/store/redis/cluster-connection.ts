import { Cluster, type Redis } from "ioredis";
import type { RedisAddress } from "./address.ts";
import { clientOptions, COMMAND_TIMEOUT_MS } from "./client-options.ts";
import { ClusterSubscriber } from "./cluster-subscriber.ts";
import type { Connection } from "./connection.ts";
import { reportOf } from "./diagnosis.ts";
import { cannotConnect } from "./failures.ts";
import { Health } from "./health.ts";
import { explain } from "./probe.ts";
import { Scripts } from "./scripts.ts";
import { tlsOptions } from "./tls.ts";

const UNABLE =
  "it cannot serve: CLUSTER INFO says why, or its nodes do not tell their addresses: see cluster-announce-ip";

/** Connects to a Redis Cluster by way of the nodes that the address names. @throws KitchenError `KS_UNAVAILABLE`, `KS_USAGE` */
export async function connectToCluster(address: RedisAddress, connectTimeoutMs: number): Promise<Connection> {
  const health = new Health();
  const tls = tlsOptions(address);
  const cluster = new Cluster([...address.hosts], {
    lazyConnect: true,
    enableAutoPipelining: false,
    scaleReads: "master",
    slotsRefreshTimeout: connectTimeoutMs,
    clusterRetryStrategy: health.retryMs,
    // Names stay names until a socket is opened: certificates are for names.
    dnsLookup: (host, callback) => callback(null, host),
    redisOptions: { ...clientOptions(address, connectTimeoutMs), ...(tls === undefined ? {} : { tls }) },
  });
  try {
    await health.open(cluster, { timeoutMs: connectTimeoutMs, closed: UNABLE });
  } catch (error) {
    throw cannotConnect(address, await explain(error, address, connectTimeoutMs));
  }
  return {
    scripts: new Scripts(cluster),
    readList: (key, from) => cluster.lrangeBuffer(key, from, -1),
    whenReady: () => health.whenReady(COMMAND_TIMEOUT_MS),
    infos: () => ofMasters(cluster, (redis) => redis.info()),
    reports: () => ofMasters(cluster, reportOf),
    openSubscriber: (prefix) =>
      new ClusterSubscriber(cluster, { address, connectTimeoutMs, tls }).open(prefix),
    close: () => health.close(),
  };
}

/** Of the masters that answer; at least one must. On connections of their own: most will never be used again. */
async function ofMasters<T>(cluster: Cluster, ask: (redis: Redis | Cluster) => Promise<T>): Promise<T[]> {
  const answers = await Promise.allSettled(cluster.nodes("master").map((node) => ofMaster(node, ask)));
  const all = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  return all.length === 0 ? [await ask(cluster)] : all;
}

async function ofMaster<T>(node: Redis, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = node.duplicate({ lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {
    // The call rejects with it.
  });
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}
