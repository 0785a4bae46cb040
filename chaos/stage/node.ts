// A node of the cluster, as users start it, with proxies on all ways that lead to it and from it.
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { TcpProxy } from "../../test/support/tcp-proxy.ts";
import { Child, type Exit } from "./child.ts";
import { stablePort } from "./ports.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const FUNCTIONS = fileURLToPath(new URL("../load/functions.ts", import.meta.url));
/** All of 127.0.0.0/8 is this machine: the node listens on one address, and others reach it at another. */
const PEERS_HOST = "127.0.0.2";
const AGAIN_MS = 1_000;

export interface NodeSettings {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly redisPort: number;
  readonly tokenFile: string;
  readonly resultTtlMs: number;
  readonly root: string;
  readonly onExit: (node: StageNode, exit: Exit, wasAsked: boolean) => void;
}

export class StageNode {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly directory: string;
  /** The way from the node to Redis, from clients to it, and from other nodes to it. */
  readonly redis: TcpProxy;
  readonly clients: TcpProxy;
  readonly peers: TcpProxy;
  readonly #settings: NodeSettings;
  readonly #port: number;
  #child: Child | undefined;
  #isWanted = false;
  #wasAsked = false;

  private constructor(settings: NodeSettings, port: number) {
    this.#settings = settings;
    this.#port = port;
    this.name = settings.name;
    this.isReadOnly = settings.isReadOnly;
    this.directory = join(settings.root, "data", settings.name);
    this.redis = new TcpProxy({ port: settings.redisPort });
    this.clients = new TcpProxy({ port });
    this.peers = new TcpProxy({ port });
    mkdirSync(this.directory, { recursive: true });
  }

  static async prepare(settings: NodeSettings): Promise<StageNode> {
    const node = new StageNode(settings, await stablePort());
    await Promise.all([node.redis.open(), node.clients.open()]);
    await node.peers.open({ port: node.#port, host: PEERS_HOST });
    return node;
  }

  /** Where clients reach it. */
  get url(): string {
    return `http://127.0.0.1:${this.clients.port}/`;
  }

  /** Where nothing is in between. */
  get directUrl(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** 0 when it is not there. */
  get pid(): number {
    return this.#child?.isAlive === true ? this.#child.pid : 0;
  }

  /** Starts it, again and again until it is there, as a supervisor would. */
  async start(): Promise<void> {
    this.#isWanted = true;
    this.#wasAsked = false;
    while (this.#isWanted) {
      const child = this.#spawn();
      if (await child.says("Ctrl-C stops it")) return;
      await child.exited;
      await sleep(AGAIN_MS);
    }
  }

  /** Has it end, and resolves when it has. Nobody starts it again but `start`. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<Exit | undefined> {
    this.#isWanted = false;
    this.#wasAsked = true;
    this.signal(signal);
    return await this.#child?.exited;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.pid !== 0) this.#child?.kill(signal);
  }

  closeWays(): void {
    for (const way of [this.redis, this.clients, this.peers]) way.close();
  }

  openWays(): void {
    for (const way of [this.redis, this.clients, this.peers]) {
      way.accept();
      way.release();
    }
  }

  #spawn(): Child {
    const { root, name, onExit } = this.#settings;
    const child = new Child({
      args: [MAIN, "start", ...this.#flags()],
      logFile: join(root, "logs", `${name}.log`),
      folder: root,
      env: { TMPDIR: join(root, "tmp") },
    });
    this.#child = child;
    let isReady = false;
    void child.says("Ctrl-C stops it").then((said) => (isReady = said));
    void child.exited.then((exit) => {
      // One that cannot start because something is away says so, and is started again.
      if (!isReady) return;
      onExit(this, exit, this.#wasAsked);
      // What comes after a finding is worth to be seen, too.
      if (!this.#wasAsked) void sleep(AGAIN_MS).then(() => (this.#isWanted ? this.start() : undefined));
    });
    return child;
  }

  #flags(): string[] {
    const { name, tokenFile, resultTtlMs, isReadOnly } = this.#settings;
    const store = ["--no-redis", "--redis-connection", `tcp://127.0.0.1:${this.redis.port}?db=9`];
    const place = ["--node-name", name, "--node-url", `http://${PEERS_HOST}:${this.#port}/`];
    const workers = ["--num-workers", "2", "--worker-memory", "256MB"];
    const work = ["--module", FUNCTIONS, "--result-ttl", `${resultTtlMs}ms`];
    const own = ["--datadir", this.directory, "--token-file", tokenFile, "--log-level", "info"];
    return [...store, ...place, ...workers, ...work, ...own, ...(isReadOnly ? ["--read-only"] : [])];
  }
}
