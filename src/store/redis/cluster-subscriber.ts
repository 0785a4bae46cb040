import { createConnection, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { AbstractConnector, Redis, type Cluster } from "ioredis";
import type { RedisAddress } from "./address.ts";
import { clientOptions, DISCONNECT_TIMEOUT_MS } from "./client-options.ts";
import { cannotConnect } from "./failures.ts";
import { Health } from "./health.ts";

interface SubscriberOptions {
  readonly address: RedisAddress;
  readonly connectTimeoutMs: number;
  readonly tls: ConnectionOptions | undefined;
}

/**
 * A connection to the node of a Redis Cluster that runs the scripts of a prefix, and so hears what they publish even when
 * nodes do not hear each other; to other nodes while that one is away. It follows the prefix to where it goes. ioredis's own
 * subscriber of a cluster tells nobody when it was away.
 */
export class ClusterSubscriber {
  readonly #cluster: Cluster;
  readonly #options: SubscriberOptions;
  #slot = 0;
  /** The node that ran the prefix's scripts when a connection was last begun, as ioredis names it. */
  #knownOwner: string | undefined;
  #failures = 0;

  constructor(cluster: Cluster, options: SubscriberOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** @throws KitchenError `KS_UNAVAILABLE` */
  async open(prefix: string): Promise<Redis> {
    const { address, connectTimeoutMs, tls } = this.#options;
    const health = new Health();
    const redis = new Redis({
      ...clientOptions(address, connectTimeoutMs),
      ...(tls === undefined ? {} : { tls }),
      Connector: this.#connector(),
      lazyConnect: true,
      retryStrategy: health.retryMs,
    });
    redis.on("ready", () => (this.#failures = 0));
    try {
      this.#slot = await this.#cluster.cluster("KEYSLOT", prefix);
      await health.open(redis, { timeoutMs: connectTimeoutMs });
    } catch (error) {
      redis.disconnect();
      throw cannotConnect(address, error);
    }
    this.#follow(redis);
    return redis;
  }

  #follow(redis: Redis): void {
    const follow = (): void => {
      if (redis.status === "ready" && this.#owner() !== this.#knownOwner) redis.disconnect(true);
    };
    this.#cluster.on("refresh", follow);
    redis.once("end", () => this.#cluster.off("refresh", follow));
  }

  #connector(): new () => AbstractConnector {
    const next = (): Socket => this.#connectToNext();
    return class extends AbstractConnector {
      constructor() {
        super(DISCONNECT_TIMEOUT_MS);
      }

      override connect(): Promise<Socket> {
        this.connecting = true;
        this.stream = next();
        this.stream.once("error", (error) => (this.firstError = error));
        return Promise.resolve(this.stream);
      }
    };
  }

  #connectToNext(): Socket {
    const nodes = this.#nodes();
    const node = nodes[this.#failures % nodes.length] ?? "";
    this.#failures += 1;
    this.#knownOwner = this.#owner();
    const colon = node.lastIndexOf(":");
    const endpoint = { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) };
    const { tls } = this.#options;
    return tls === undefined ? createConnection(endpoint) : connectTls({ ...endpoint, ...tls });
  }

  #owner(): string | undefined {
    return this.#cluster.slots[this.#slot]?.[0];
  }

  /** The best one first. */
  #nodes(): string[] {
    const masters = this.#cluster.nodes("master").map(({ options }) => `${options.host}:${options.port}`);
    const named = this.#options.address.hosts.map(({ host, port }) => `${host}:${port}`);
    return [...new Set([this.#owner() ?? [], masters, named].flat())];
  }
}
