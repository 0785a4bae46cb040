import { connect } from "node:net";
import { join } from "node:path";
import { parseRedisAddress, type RedisAddress } from "../../store/redis/address.ts";
import type { Store, StoreOptions } from "../../store/port.ts";
import { isLoopback } from "../../client/connection/token.ts";
import { OrphanGuard } from "../../worker/orphan-guard.ts";

export const DEFAULT_REDIS = "tcp://localhost:6379?db=9";
/**
 * After so long without an answer, something is there that hangs. Much longer than it takes: on a machine with much to do, a
 * short time is over before the refusal is looked at.
 */
const PROBE_MS = 5_000;

export interface StoreChoice {
  /** The embedded store, whatever else there is. */
  readonly isEmbedded: boolean;
  /** Never start a Redis server. */
  readonly isRedisForeign: boolean;
  /** `undefined`: the default, which need not be there. */
  readonly redisConnection: string | undefined;
  readonly defaultRedisConnection: string;
  readonly dataDirectory: string;
  readonly options: StoreOptions;
  readonly warn: (message: string) => void;
}

export interface ChosenStore {
  readonly store: Store;
  /** Set when this node started the server itself. */
  readonly ownRedisProgram: string | undefined;
  /** Set when others can join: the address for `--redis-connection`. */
  readonly redisConnection: string | undefined;
  /** The store is embedded only because there was no Redis. */
  readonly isFallback: boolean;
}

/**
 * Opens the store that the flags ask for: the embedded one; the Redis that is named; a Redis at the default address; a
 * Redis server of this machine's, started for the node; and with none of them, the embedded one.
 * @throws KitchenError `KS_UNAVAILABLE`, `KS_USAGE`
 */
export async function chooseStore(choice: StoreChoice): Promise<ChosenStore> {
  if (choice.isEmbedded) return await embedded(choice, false);
  const connection = choice.redisConnection ?? choice.defaultRedisConnection;
  const address = parseRedisAddress(connection);
  const isRequired = choice.isRedisForeign || choice.redisConnection !== undefined;
  const port = isRequired ? undefined : await freeLocalPort(address);
  if (port === undefined) return await named(choice, connection, address);
  const { findRedisServer } = await import("../../store/redis/server-process.ts");
  const program = findRedisServer();
  return program === undefined
    ? await embedded(choice, true)
    : await started(choice, { connection, address, program, port });
}

async function embedded({ options }: StoreChoice, isFallback: boolean): Promise<ChosenStore> {
  const { openMemoryStore } = await import("../../store/memory/store.ts");
  return {
    store: openMemoryStore(options),
    ownRedisProgram: undefined,
    redisConnection: undefined,
    isFallback,
  };
}

async function named(
  { options }: StoreChoice,
  connection: string,
  address: RedisAddress,
): Promise<ChosenStore> {
  const { openRedisStore } = await import("../../store/redis/store.ts");
  const store = await openRedisStore({ ...options, address });
  return {
    store,
    ownRedisProgram: undefined,
    redisConnection: shareable(connection, address),
    isFallback: false,
  };
}

interface OwnServer {
  readonly connection: string;
  readonly address: RedisAddress;
  readonly program: string;
  readonly port: number;
}

async function started(
  choice: StoreChoice,
  { connection, address, program, port }: OwnServer,
): Promise<ChosenStore> {
  const { RedisServer } = await import("../../store/redis/server-process.ts");
  const guard = new OrphanGuard();
  const server = await RedisServer.start({
    program,
    port,
    directory: join(choice.dataDirectory, ".redis"),
    onSpawn: (child) => guard.watch(child),
    warn: choice.warn,
  }).catch(async (error: unknown) => {
    await guard.close();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    await guard.close();
  };
  try {
    const chosen = await named(choice, connection, address);
    return { ...chosen, store: closingAfter(chosen.store, stop), ownRedisProgram: program };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The same store, whose `close` ends something more. */
function closingAfter(store: Store, stop: () => Promise<void>): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "close")
        return async () => {
          await target.close();
          await stop();
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The port, if the address is this machine's and nobody listens there. */
async function freeLocalPort({ host, port }: RedisAddress): Promise<number | undefined> {
  if (host === undefined || port === undefined || !isLoopback(host)) return undefined;
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_MS });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(true));
    socket.once("error", () => end(false));
  });
  return answers ? undefined : port;
}

/** What others can be told: never a password. */
function shareable(connection: string, address: RedisAddress): string {
  const isOpen = address.password === undefined && address.sentinelPassword === undefined;
  return isOpen ? connection : address.shown;
}
