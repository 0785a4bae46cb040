import { Redis } from "ioredis";
import type { RedisAddress } from "./address.ts";
import { clientOptions } from "./client-options.ts";
import { tlsOptions } from "./tls.ts";

const CHANNEL = "+switch-master";
const RETRY_MS = 1_000;
/** A subscriber owes no answers, so it is asked for one this often: only so is a dead connection noticed. */
const PING_EVERY_MS = 5_000;

interface WatchOptions {
  readonly connectTimeoutMs: number;
  /** Called once for each sentinel that has heard of it. */
  readonly onSwitch: () => void;
}

/**
 * Hears from every sentinel when another master was made, until the function that it returns is called. The old master
 * may go on answering for many seconds, and forgets what it was told when it becomes a replica.
 */
export function watchSentinels(
  address: RedisAddress,
  { connectTimeoutMs, onSwitch }: WatchOptions,
): () => void {
  const { sentinelUsername: username, sentinelPassword: password, masterName, hosts } = address;
  const tls = tlsOptions(address);
  const sentinels = hosts.map((host) => {
    const sentinel = new Redis({
      ...clientOptions({ username, password }, connectTimeoutMs),
      ...host,
      ...(tls === undefined ? {} : { tls }),
      enableReadyCheck: false,
      autoResubscribe: false,
      retryStrategy: () => RETRY_MS,
    });
    // A sentinel that is away is no reason for alarm: there are others, and it is tried again.
    sentinel.on("error", ignore);
    sentinel.on("ready", () => void sentinel.subscribe(CHANNEL).catch(ignore));
    sentinel.on("message", (_channel, message) => {
      if (message.startsWith(`${masterName} `)) onSwitch();
    });
    return sentinel;
  });
  const pinging = setInterval(() => {
    for (const sentinel of sentinels) if (sentinel.status === "ready") void sentinel.ping().catch(ignore);
  }, PING_EVERY_MS).unref();
  return () => {
    clearInterval(pinging);
    for (const sentinel of sentinels) sentinel.disconnect();
  };
}

function ignore(): void {
  // nothing
}
