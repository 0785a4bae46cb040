import { Redis, type RedisOptions } from "ioredis";
import type { RedisAddress } from "./address.ts";
import { clientOptions, COMMAND_TIMEOUT_MS } from "./client-options.ts";
import type { Connection } from "./connection.ts";
import { reportOf } from "./diagnosis.ts";
import { cannotConnect } from "./failures.ts";
import { Health } from "./health.ts";
import { explain } from "./probe.ts";
import { Scripts } from "./scripts.ts";
import { watchSentinels } from "./sentinel-watch.ts";
import { tlsOptions } from "./tls.ts";

/** Connects to one server, or to the master that the sentinels name. @throws KitchenError `KS_UNAVAILABLE`, `KS_USAGE` */
export async function connectToServer(address: RedisAddress, connectTimeoutMs: number): Promise<Connection> {
  const clients = new Set<Redis>();
  const open = async (health: Health): Promise<Redis> => {
    const client = await openServer(address, { connectTimeoutMs, health });
    clients.add(client);
    client.once("end", () => clients.delete(client));
    return client;
  };
  const health = new Health();
  const redis = await open(health);
  const onSwitch = (): void => {
    for (const client of clients) if (client.status === "ready") client.disconnect(true);
  };
  const stopWatching =
    address.kind === "sentinel" ? watchSentinels(address, { connectTimeoutMs, onSwitch }) : undefined;
  return {
    scripts: new Scripts(redis),
    readList: (key, from) => redis.lrangeBuffer(key, from, -1),
    whenReady: () => health.whenReady(COMMAND_TIMEOUT_MS),
    infos: async () => [await redis.info()],
    reports: async () => [await reportOf(redis)],
    openSubscriber: () => open(new Health()),
    close: () => {
      stopWatching?.();
      health.close();
    },
  };
}

/** A script's first write fails so, and nothing was done. */
const IS_REPLICA = /\bREADONLY\b/;
const IS_ALONE = /\bNOREPLICAS\b/;
/** ioredis: connect again, and send the call once more. */
const RESEND = 2;

interface Opening {
  readonly connectTimeoutMs: number;
  readonly health: Health;
}

async function openServer(address: RedisAddress, { connectTimeoutMs, health }: Opening): Promise<Redis> {
  const redis = new Redis({
    ...clientOptions(address, connectTimeoutMs),
    ...(address.kind === "sentinel" ? bySentinels(address, { connectTimeoutMs, health }) : directly(address)),
    db: address.db,
    lazyConnect: true,
    enableAutoPipelining: false,
    retryStrategy: health.retryMs,
  });
  try {
    await health.open(redis, { timeoutMs: connectTimeoutMs });
    // Told of a database that is not there, ioredis would go on with another.
    await redis.select(address.db);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw cannotConnect(address, await explain(error, address, connectTimeoutMs));
  }
}

type Place = Omit<RedisOptions, "replyMapping">;

function directly(address: RedisAddress): Place {
  const { host, port, path } = address;
  const tls = tlsOptions(address);
  return {
    ...(path === undefined ? { host: host ?? "localhost", port: port ?? 6379 } : { path }),
    ...(tls === undefined ? {} : { tls }),
    // A name may lead to another server after a failover. Who asked must ask again.
    reconnectOnError: ({ message }) => IS_REPLICA.test(message),
  };
}

function bySentinels(address: RedisAddress, { connectTimeoutMs, health }: Opening): Place {
  const { hosts, masterName, sentinelUsername, sentinelPassword } = address;
  const tls = tlsOptions(address);
  return {
    sentinels: [...hosts],
    ...(masterName === undefined ? {} : { name: masterName }),
    role: "master",
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls === undefined ? {} : { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: connectTimeoutMs,
    sentinelRetryStrategy: health.retryMs,
    // A master that was replaced, or cut off from its replicas: the sentinels know the new one.
    reconnectOnError: ({ message }) => (IS_REPLICA.test(message) ? RESEND : IS_ALONE.test(message)),
  };
}
