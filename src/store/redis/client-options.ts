import type { RedisOptions } from "ioredis";
import type { RedisAddress } from "./address.ts";

/** A call that has no answer after this time rejects. */
export const COMMAND_TIMEOUT_MS = 5_000;
/** A connection that owes answers and is silent for this long is dead, whatever the network says. */
const SILENCE_MS = 6_000;
/** A peer that does not answer a goodbye is left after this time. */
export const DISCONNECT_TIMEOUT_MS = 300;
/** Calls that wait for a server's connection reject after this many failed tries to make one. */
const TRIES_PER_CALL = 5;

type ClientOptions = Omit<
  RedisOptions,
  "replyMapping" | "port" | "host" | "path" | "sentinels" | "retryStrategy"
>;

/** What all connections have in common, whatever they lead to. */
export function clientOptions(
  { username, password }: Pick<RedisAddress, "username" | "password">,
  connectTimeoutMs: number,
): ClientOptions & { replyMapping: "legacy" } {
  return {
    protocol: 2,
    replyMapping: "legacy",
    disableClientInfo: true,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    maxRetriesPerRequest: TRIES_PER_CALL,
    // `Subscription` does it, and looks at what comes of it; ioredis would not, and a rejection that nobody sees ends the process.
    autoResubscribe: false,
    autoResendUnfulfilledCommands: true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}
