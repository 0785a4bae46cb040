import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../client/client.ts";
import type { ClientOptions } from "../client/options.ts";
import { currentRealm, inRealm } from "../client/connection/realm.ts";
import { parseNodeName, parseSharedQueue } from "../core/ids.ts";
import { KitchenError } from "../core/errors.ts";
import { NODE_DEFAULTS } from "../node/start/defaults.ts";
import { moduleName } from "../node/start/module-name.ts";
import { startNode } from "../node/node.ts";
import type { RunningNode } from "../node/running-node.ts";
import type { Log, NodeOptions } from "../node/options.ts";
import type { Store, StoreOptions } from "../store/port.ts";
import { checkWorkerMemory } from "../worker/memory-limit.ts";

/** What may differ from node to node. */
export interface NodeSettings {
  /** Worker processes. Default: 1. */
  readonly numWorkers?: number;
  /** The queues that its workers take jobs from. Default: `["default"]`. */
  readonly queues?: readonly string[];
  /** Take no data. Default: false. */
  readonly readOnly?: boolean;
  /** Another way to the cluster's Redis: through a proxy that a test cuts, say. Default: the cluster's. */
  readonly redisConnection?: string;
  /** Where it keeps data. Default: a temporary directory, which is removed when the cluster is closed. */
  readonly dataDirectory?: string;
}

/** What the cluster is like; the rest is as `kitchensink start` has it. */
export interface ClusterOptions extends Pick<NodeSettings, "numWorkers" | "queues"> {
  /** How many nodes. Default: 1. More than one needs a Redis. */
  readonly nodes?: number;
  /** Settings of single nodes, by their index from 0 on. */
  readonly node?: (index: number) => NodeSettings;
  /** The address of a Redis, such as `tcp://localhost:6379?db=9`. Default: the embedded store. */
  readonly redisConnection?: string;
  /** What registers functions, as `--module` takes it: files, by their paths, and packages. */
  readonly modules?: readonly string[];
  /** Replace the workers when a module changes. Default: false. */
  readonly reloads?: boolean;
  /** Allow captured functions. Default: true. */
  readonly arbitrary?: boolean;
  /** A node that would have to fetch more bytes than this for a call is left out. Default: 200,000,000. */
  readonly dataThresholdBytes?: number;
  /** Environment variables that workers may see beside the usual ones. */
  readonly env?: readonly string[];
  /** How long results are kept, in ms. Default: a day. */
  readonly resultTtlMs?: number;
  /** How many jobs may wait in one queue. Default: 1,000,000. */
  readonly queueLimit?: number;
  /** How long a node may be silent before its jobs are given to others, in ms. Default: 6000. */
  readonly leaseMs?: number;
  /** How long a cancelled function has to stop before its worker is killed, in ms. Default: 5000. */
  readonly graceMs?: number;
  /** What each worker may take, in bytes, heap and all else; at least 64,000,000. Default: as V8 decides. */
  readonly workerMemoryBytes?: number;
  /** What the function and the arguments of one call may have together, in bytes. Default: what a request may have. */
  readonly argumentBytes?: number;
  /** Results of queued calls that have more bytes go to files. Default: 1,000,000. */
  readonly inlineResultBytes?: number;
  /** How much of a job's output is kept, in bytes. Default: 4,000,000. */
  readonly jobOutputBytes?: number;
  /** Options of its clients. Default: output `off`. */
  readonly client?: ClientOptions;
  /** Takes what nodes log. Default: nobody. */
  readonly log?: Log;
}

/**
 * Nodes in this process, with real worker processes.
 *
 * @example
 * ```ts
 * const cluster: Cluster = await startCluster({ numWorkers: 2 });
 * expect(await cluster.client.call(() => 1 + 1)).toBe(2);
 * await cluster.close();
 * ```
 */
export interface Cluster extends AsyncDisposable {
  /** The addresses of the nodes. */
  readonly urls: readonly string[];
  /** Those that are ready, in the order in which they were started. */
  readonly nodes: readonly RunningNode[];
  /** What clients of other processes need. */
  readonly token: string;
  /** A client of the first node; made once, closed with the cluster. */
  readonly client: Client;
  /**
   * Another client, of the node with this index, from 0 on; closed with the cluster.
   *
   * @throws KitchenError `KS_USAGE` when there is no such node
   */
  connect(index?: number, options?: ClientOptions): Client;
  /** Starts one more node; several may start at once. @throws as {@link startCluster} */
  addNode(settings?: NodeSettings): Promise<RunningNode>;
  /** Ends everything at once: nodes, workers, clients; removes the temporary directories. */
  close(): Promise<void>;
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Starts a cluster for tests: nodes on free ports of this machine, a token of its own, real workers.
 *
 * @throws KitchenError `KS_USAGE`, `KS_UNAVAILABLE`, `KS_MODULE_FAILED`; nothing is left running
 * @example
 * ```ts
 * await using cluster = await startCluster({ modules: ["./functions.ts"] });
 * expect(await cluster.client.call("add", 1, 2)).toBe(3);
 * ```
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { nodes: count = 1, redisConnection } = options;
  if (count > 1 && redisConnection === undefined) throw oneNodeOnly();
  const cluster = new LocalCluster(options);
  try {
    for (let index = 0; index < count; index += 1) await cluster.addNode(options.node?.(index));
  } catch (error) {
    await cluster.close();
    throw error;
  }
  return cluster;
}

class LocalCluster implements Cluster {
  readonly token: string = randomBytes(16).toString("hex");
  readonly #name = `test-${randomBytes(6).toString("hex")}`;
  readonly #options: ClusterOptions;
  /** Of who started the cluster. */
  readonly #realm = currentRealm();
  readonly #clients: Client[] = [];
  readonly #directories: string[] = [];
  /** All nodes that were begun; undefined: it is not ready, or failed. */
  readonly #nodes: (RunningNode | undefined)[] = [];
  #starting: Promise<unknown> = Promise.resolve();
  #first: Client | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  get client(): Client {
    return (this.#first ??= this.connect());
  }

  get nodes(): readonly RunningNode[] {
    return this.#nodes.filter((node) => node !== undefined);
  }

  get urls(): readonly string[] {
    return this.nodes.map(({ url }) => url.href);
  }

  connect(index = 0, options: ClientOptions = {}): Client {
    const node = this.nodes[index];
    if (node === undefined) throw noSuchNode(index, this.nodes.length);
    const defaults = this.#options.client ?? { output: "off" };
    const settings = { ...defaults, ...options, token: this.token };
    const client = inRealm(this.#realm, () => new Client(node.url, settings));
    this.#clients.push(client);
    return client;
  }

  async addNode(settings: NodeSettings = {}): Promise<RunningNode> {
    if (this.#nodes.length > 0 && this.#options.redisConnection === undefined) throw oneNodeOnly();
    const place = this.#nodes.push(undefined) - 1;
    const starting = startOne(
      { ...this.#options, ...settings },
      {
        index: place + 1,
        token: this.token,
        clusterName: this.#name,
        dataDirectory: settings.dataDirectory ?? this.#temporaryDirectory(),
      },
    );
    this.#starting = Promise.allSettled([this.#starting, starting]);
    return (this.#nodes[place] = await starting);
  }

  async close(): Promise<void> {
    await this.#starting;
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.nodes.map((node) => node.close(0)));
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
  }

  #temporaryDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), "kitchensink-"));
    this.#directories.push(directory);
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

interface Place {
  readonly index: number;
  readonly token: string;
  readonly clusterName: string;
  readonly dataDirectory: string;
}

async function startOne(options: ClusterOptions & NodeSettings, place: Place): Promise<RunningNode> {
  const { index, token, clusterName, dataDirectory } = place;
  const defaults = NODE_DEFAULTS;
  const settings: Omit<NodeOptions, "store"> = {
    name: parseNodeName(`node${index}`),
    cluster: clusterName,
    url: new URL("http://127.0.0.1:0/"),
    host: "127.0.0.1",
    allowedHosts: [],
    token,
    numWorkers: options.numWorkers ?? 1,
    numInstantWorkers: defaults.numInstantWorkers,
    queues: (options.queues ?? defaults.queues).map(parseSharedQueue),
    modules: (options.modules ?? []).map(moduleName),
    reloads: options.reloads ?? false,
    isReadOnly: options.readOnly ?? false,
    dataDirectory,
    adopts: [],
    dataThresholdBytes: options.dataThresholdBytes ?? defaults.dataThresholdBytes,
    isArbitraryBanned: options.arbitrary === false,
    environmentNames: options.env ?? [],
    ...(options.workerMemoryBytes === undefined
      ? {}
      : { workerMemoryBytes: checkWorkerMemory(options.workerMemoryBytes) }),
    argumentBytes: options.argumentBytes,
    inlineResultBytes: options.inlineResultBytes,
    leaseMs: options.leaseMs ?? defaults.leaseMs,
    graceMs: options.graceMs ?? defaults.graceMs,
    log: options.log ?? SILENT,
  };
  // Last, as the node takes it over: what is wrong with the settings leaves none open.
  const store = await openStore(options.redisConnection, {
    cluster: clusterName,
    resultTtlMs: options.resultTtlMs ?? defaults.resultTtlMs,
    unitTtlMs: defaults.unitTtlMs,
    queueLimit: options.queueLimit ?? defaults.queueLimit,
    outputLimitBytes: options.jobOutputBytes ?? defaults.outputLimitBytes,
  });
  return await startNode({ ...settings, store });
}

function oneNodeOnly(): KitchenError {
  return new KitchenError(
    "KS_USAGE",
    "Cannot start several nodes on the embedded store, which is for one: give startCluster() a redisConnection",
  );
}

function noSuchNode(index: number, count: number): KitchenError {
  const range = count === 1 ? "its only node is 0" : `its nodes are 0 to ${count - 1}`;
  return new KitchenError(
    "KS_USAGE",
    `Cannot connect to node ${index} of the cluster: ${range} (addNode() starts one more)`,
  );
}

async function openStore(redisConnection: string | undefined, options: StoreOptions): Promise<Store> {
  if (redisConnection === undefined) {
    const { openMemoryStore } = await import("../store/memory/store.ts");
    return openMemoryStore(options);
  }
  const { openRedisStore } = await import("../store/redis/store.ts");
  const { parseRedisAddress } = await import("../store/redis/address.ts");
  return await openRedisStore({ ...options, address: parseRedisAddress(redisConnection) });
}
