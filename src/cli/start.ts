import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { Option, type Command } from "commander";
import ms from "ms";
import { KitchenError } from "../core/errors.ts";
import { defaultTokenFile, isLoopback } from "../client/connection/token.ts";
import {
  chooseStore,
  DEFAULT_REDIS,
  type ChosenStore,
  type StoreChoice,
} from "../node/start/choose-store.ts";
import { NODE_DEFAULTS } from "../node/start/defaults.ts";
import { moduleName } from "../node/start/module-name.ts";
import type { RunningNode } from "../node/running-node.ts";
import type { Log, NodeOptions } from "../node/options.ts";
import { ensureToken } from "../node/start/token-file.ts";
import { EarlyProcesses } from "../worker/early-processes.ts";
import { workerEnvironment } from "../worker/environment.ts";
import { checkWorkerMemory } from "../worker/memory-limit.ts";
import { banner, bannerObject, type TokenSource } from "./banner.ts";
import { EXIT } from "./exit-codes.ts";
import { createLog, LOG_LEVELS } from "./log.ts";
import {
  clusterName,
  count,
  duration,
  size,
  nodeName,
  nodePort,
  nodeUrl,
  queueName,
  type StartFlags,
} from "./start-options.ts";

const MOST_QUEUE_LIMIT = 1_000_000_000;
/** What one request, and one message of a worker, has room for. */
const MOST_INLINE_BYTES = 64_000_000;
/** A log is read and sent as a whole. */
const MOST_OUTPUT_BYTES = 256_000_000;

const megabytes = (bytes: number): string => `${bytes / 1e6}MB`;
const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

export function addStartCommand(program: Command): void {
  program
    .command("start")
    .description("start a node: workers that run functions, reached over HTTP")
    .option(
      "--datadir <directory>",
      "where the node keeps its data; made when it is not there",
      "./kitchensink-data",
    )
    .option("--num-workers <number>", "how many jobs run at the same time", String(availableParallelism()))
    .option(
      "--node-url <url>",
      "the address at which clients and other nodes reach this node (default: http://localhost:6323/)",
    )
    .option("--node-port <port>", "the port to listen on, when it is not that of --node-url (0: a free one)")
    .option(
      "--node-name <name>",
      "the node's name in the cluster (default: this machine's name and the port)",
    )
    .option("--host <address>", "the address to listen on; anything but loopback needs a token", "127.0.0.1")
    .option("--allow-host <name>", "another host name that the node answers to; may be repeated", collect, [])
    .option("--queue <name>", 'run jobs of this queue instead of "default"; may be repeated', collect, [])
    .option(
      "--module <file>",
      "register the functions that this module exports; may be repeated; TypeScript works as it is",
      collect,
      [],
    )
    .option("--reload", "replace the workers when a module changes", false)
    .option("--read-only", "take no data from clients and other nodes", false)
    .option(
      "--data-threshold <size>",
      "leave a node out for a call that would have to fetch more than this",
      megabytes(NODE_DEFAULTS.dataThresholdBytes),
    )
    .option(
      "--adopt <pattern>",
      "enter files that are in the data directory already, such as 'logs/**/*.csv'; may be repeated",
      collect,
      [],
    )
    .option(
      "--redis-connection <address>",
      `the Redis to use: tcp://host:port?db=9, redis://, rediss://, unix:, redis+sentinel:// or redis+cluster://; with a password better in KITCHENSINK_REDIS, which may name another default than ${DEFAULT_REDIS}`,
    )
    .option("--no-redis", "start no Redis server: the one of --redis-connection must be there")
    .option("--embedded", "keep jobs in this process's memory instead of a Redis: for one node", false)
    .option("--cluster <name>", "clusters of different names may share a Redis", "default")
    .option("--no-arbitrary", "ban captured functions: only registered ones can be called")
    .option(
      "--token-file <file>",
      "the file with the token that clients must know; made when it is not there",
    )
    .option("--no-token", "ask for no token: every user of this machine may run code as you; loopback only")
    .option("--env <name>", "let workers see this environment variable; may be repeated", collect, [])
    .option(
      "--instant-workers <number>",
      "how many instant calls run at the same time",
      String(NODE_DEFAULTS.numInstantWorkers),
    )
    .option(
      "--worker-memory <size>",
      "what each worker may take, heap and all else; a job that needs more is ended (default: as V8 decides, and no limit for the rest)",
    )
    .option(
      "--argument-limit <size>",
      "the most that the function and the arguments of one call may have; 64MB at most",
      "64MB",
    )
    .option(
      "--inline-result-limit <size>",
      "results of queued calls that have more go to files of the data directory instead of the store; 64MB at most",
      "1MB",
    )
    .option(
      "--job-output-limit <size>",
      "how much of a job's output is kept; who follows it gets all",
      megabytes(NODE_DEFAULTS.outputLimitBytes),
    )
    .option("--result-ttl <time>", "how long results and output are kept", ms(NODE_DEFAULTS.resultTtlMs))
    .option("--queue-limit <number>", "how many jobs may wait in one queue", String(NODE_DEFAULTS.queueLimit))
    .option("--grace <time>", "how long running jobs may go on when the node is asked to stop", "10s")
    .addOption(
      new Option("--log-level <level>", "what to log, on stderr").choices(LOG_LEVELS).default("warn"),
    )
    .option("--json", "say what the node is in JSON, on one line, instead of for people", false)
    .addHelpText(
      "after",
      "\nExample:\n  kitchensink start --datadir ./data --num-workers 2 --module ./functions.ts --reload",
    )
    .action(async (flags: StartFlags) => start(flags));
}

async function start(flags: StartFlags): Promise<void> {
  const log = createLog(flags.logLevel);
  const url = nodeUrl(flags);
  const name = nodeName(flags, url);
  const token = tokenOf(flags);
  const settings = {
    modules: flags.module.map(moduleName),
    numWorkers: count("--num-workers", flags.numWorkers, { least: 1 }),
    numInstantWorkers: count("--instant-workers", flags.instantWorkers, { least: 1 }),
    queues: flags.queue.length === 0 ? NODE_DEFAULTS.queues : flags.queue.map(queueName),
    workerMemoryBytes:
      flags.workerMemory === undefined
        ? undefined
        : checkWorkerMemory(size("--worker-memory", flags.workerMemory)),
    argumentBytes: size("--argument-limit", flags.argumentLimit, { mostBytes: MOST_INLINE_BYTES }),
    inlineResultBytes: size("--inline-result-limit", flags.inlineResultLimit, {
      mostBytes: MOST_INLINE_BYTES,
    }),
    dataThresholdBytes: size("--data-threshold", flags.dataThreshold),
  };
  const stopGraceMs = duration("--grace", flags.grace);
  const cluster = clusterName(flags.cluster);
  const dataDirectory = prepareDataDirectory(flags.datadir);
  const storeChoice = {
    isEmbedded: flags.embedded,
    isRedisForeign: !flags.redis,
    redisConnection: flags.redisConnection,
    defaultRedisConnection: process.env["KITCHENSINK_REDIS"] ?? DEFAULT_REDIS,
    dataDirectory,
    options: {
      cluster,
      resultTtlMs: duration("--result-ttl", flags.resultTtl),
      unitTtlMs: NODE_DEFAULTS.unitTtlMs,
      queueLimit: count("--queue-limit", flags.queueLimit, { least: 1, most: MOST_QUEUE_LIMIT }),
      outputLimitBytes: size("--job-output-limit", flags.jobOutputLimit, { mostBytes: MOST_OUTPUT_BYTES }),
    },
    warn: (message: string) => log.warn(message),
  };
  const { node, chosen } = await startBoth(storeChoice, {
    ...settings,
    name,
    cluster,
    url,
    port: nodePort(flags),
    host: flags.host,
    allowedHosts: flags.allowHost,
    token: token.value,
    reloads: flags.reload,
    isReadOnly: flags.readOnly,
    dataDirectory,
    adopts: flags.adopt,
    isArbitraryBanned: !flags.arbitrary,
    environmentNames: flags.env,
    leaseMs: NODE_DEFAULTS.leaseMs,
    graceMs: NODE_DEFAULTS.graceMs,
    log,
  });
  const facts = {
    node,
    chosen,
    tokenFrom: token.from,
    dataDirectory,
    isReadOnly: flags.readOnly,
    modules: flags.module,
    workers: settings.numWorkers,
    queues: settings.queues,
    isSeen: process.stdout.isTTY,
  };
  process.stdout.write(flags.json ? `${JSON.stringify(bannerObject(facts))}\n` : banner(facts));
  stopOnSignals(node, stopGraceMs, log);
}

/** Opens the store and starts the node. Workers start first: they load while the node does, which takes longer. */
async function startBoth(
  choice: StoreChoice,
  options: Omit<NodeOptions, "store" | "earlyProcesses">,
): Promise<{ node: RunningNode; chosen: ChosenStore }> {
  const earlyProcesses = new EarlyProcesses(
    {
      environment: workerEnvironment(process.env, options.environmentNames),
      memoryBytes: options.workerMemoryBytes,
    },
    Math.min(options.numWorkers, availableParallelism()),
  );
  try {
    const [chosen, { startNode }] = await Promise.all([chooseStore(choice), import("../node/node.ts")]);
    const node = await startNode({ ...options, store: chosen.store, earlyProcesses });
    return { node, chosen };
  } finally {
    earlyProcesses.close();
  }
}

interface KnownToken {
  /** `null`: none. */
  readonly value: string | null;
  readonly from: TokenSource | null;
}

/** @throws KitchenError `KS_USAGE` for a node that the network could use without one */
function tokenOf({ token, tokenFile, host }: StartFlags): KnownToken {
  if (!token) {
    if (isLoopback(host.includes(":") ? `[${host}]` : host)) return { value: null, from: null };
    throw new KitchenError(
      "KS_USAGE",
      `Cannot listen on ${host} without a token: everyone who reaches it could run code as you (drop --no-token, or --host)`,
    );
  }
  const given = process.env["KITCHENSINK_TOKEN"];
  if (tokenFile === undefined && given !== undefined && given !== "")
    return { value: given, from: { environment: "KITCHENSINK_TOKEN" } };
  const file = tokenFile === undefined ? defaultTokenFile() : resolve(tokenFile);
  return { value: ensureToken(file), from: { file } };
}

function prepareDataDirectory(path: string): string {
  const directory = resolve(path);
  try {
    makeDirectory(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return directory;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split(",")[0] : String(cause);
    throw new KitchenError(
      "KS_USAGE",
      `Cannot keep data in ${directory}: ${reason} (choose another with --datadir)`,
      { cause },
    );
  }
}

/** Step by step: where a directory cannot be made in an existing one, as in /proc, Node's recursive way never ends. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(dirname(directory));
  mkdirSync(directory, { mode: 0o700 });
}

/** First signal: running jobs may finish. Second: they are given back at once. */
function stopOnSignals(node: RunningNode, graceMs: number, log: Log): void {
  // Of a terminal that is gone, or a pipe that nobody reads: the node has more to do than to tell of it.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  let signals = 0;
  const stop = (): void => {
    signals += 1;
    if (signals === 1) process.stderr.write("\nStopping: running jobs may finish (again to stop at once)\n");
    node.close(signals === 1 ? graceMs : 0).then(
      () => process.exit(signals === 1 ? EXIT.done : EXIT.failed),
      (error: unknown) => {
        log.error(`could not stop cleanly: ${error instanceof Error ? error.stack : String(error)}`);
        process.exit(EXIT.failed);
      },
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  // Of a terminal that closes there may be several, from its shell too: nobody asks twice by them.
  process.on("SIGHUP", () => {
    if (signals === 0) stop();
  });
}
