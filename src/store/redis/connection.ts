import { Redis, type RedisOptions } from "ioredis";
import type { RedisAddress } from "./address.ts";
import { cannotConnect } from "./failures.ts";

/** A call that has no answer after this time rejects. */
const COMMAND_TIMEOUT_MS = 5_000;
/** A connection that owes answers and is silent for this long is dead, whatever the network says. */
const SILENCE_MS = 6_000;
/** A peer that does not answer a goodbye is left after this time. */
const DISCONNECT_TIMEOUT_MS = 300;
const LONGEST_RETRY_MS = 1_000;
/** Calls that wait for a connection reject after this many failed tries to make one. */
const TRIES_PER_CALL = 5;

/** Opens one connection; it heals by itself from then on. @throws KitchenError `KS_UNAVAILABLE` when none can be made */
export async function connect(address: RedisAddress, connectTimeoutMs: number): Promise<Redis> {
  let isOpen = false;
  let lastError: unknown;
  const redis = new Redis({
    ...whereTo(address),
    lazyConnect: true,
    protocol: 2,
    replyMapping: "legacy",
    disableClientInfo: true,
    enableAutoPipelining: false,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    maxRetriesPerRequest: TRIES_PER_CALL,
    autoResubscribe: true,
    autoResendUnfulfilledCommands: true,
    retryStrategy: (tries: number) =>
      isOpen ? Math.min(50 * 2 ** Math.min(tries, 10), LONGEST_RETRY_MS) : null,
  });
  redis.on("error", (error: unknown) => (lastError = error));
  const overdue = setTimeout(() => {
    lastError = new Error(`no answer in ${connectTimeoutMs} ms`);
    redis.disconnect();
  }, connectTimeoutMs);
  try {
    await redis.connect();
    // Told of a database that is not there, ioredis would go on with another.
    await redis.select(address.db);
    isOpen = true;
    return redis;
  } catch (error) {
    redis.disconnect();
    throw cannotConnect(address, lastError ?? error);
  } finally {
    clearTimeout(overdue);
  }
}

function whereTo({
  host,
  port,
  path,
  db,
  username,
  password,
  isTls,
}: RedisAddress): Omit<RedisOptions, "replyMapping"> {
  return {
    ...(path === undefined ? { host: host ?? "localhost", port: port ?? 6379 } : { path }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: {} } : {}),
    db,
  };
}
