import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { KitchenError } from "../../core/errors.ts";

const PROGRAMS = ["valkey-server", "redis-server"];
const READY = /ready to accept connections/i;
const READY_TIMEOUT_MS = 10_000;
const RESTART_MS = 500;
/** How long it may take to write what it holds when it is asked to end. */
const STOP_TIMEOUT_MS = 5_000;

/** The Redis or Valkey server on this machine's PATH, if there is one. */
export function findRedisServer(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const directories = (environment["PATH"] ?? "").split(delimiter).filter((directory) => directory !== "");
  const candidates = PROGRAMS.flatMap((program) => directories.map((directory) => join(directory, program)));
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface RedisServerOptions {
  readonly program: string;
  readonly port: number;
  /** Where its append-only file goes; made when it is not there. */
  readonly directory: string;
  /** Called with every process that is started. */
  readonly onSpawn: (child: ChildProcess) => void;
  readonly warn: (message: string) => void;
}

/** A Redis server that belongs to a node: started with it, started again when it dies, ended with it. */
export class RedisServer {
  readonly #options: RedisServerOptions;
  #child: ChildProcess | undefined;
  #isStopping = false;

  private constructor(options: RedisServerOptions) {
    this.#options = options;
  }

  /** Resolves when it answers. @throws KitchenError `KS_UNAVAILABLE` with what it said when it does not */
  static async start(options: RedisServerOptions): Promise<RedisServer> {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const server = new RedisServer(options);
    await server.#spawn();
    return server;
  }

  /** Ends it; what was acknowledged is in its append-only file. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      child.once("exit", () => {
        clearTimeout(timer);
        resolve();
      });
      child.kill("SIGTERM");
    });
  }

  #spawn(): Promise<void> {
    const { program, port, directory, onSpawn } = this.#options;
    const flags = {
      port: String(port),
      bind: "127.0.0.1",
      dir: directory,
      appendonly: "yes",
      appendfsync: "everysec",
      save: "",
      "maxmemory-policy": "noeviction",
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    // A process group of its own: Ctrl-C ends the node, which still needs it to put its jobs back.
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: ownEnvironment(),
    });
    this.#child = child;
    onSpawn(child);
    child.once("exit", () => this.#exited(child));
    return untilReady(child, program, port);
  }

  #exited(child: ChildProcess): void {
    if (this.#isStopping || child !== this.#child || !this.#wasReady(child)) return;
    this.#options.warn(
      `the Redis server ended (${child.signalCode ?? `exit code ${child.exitCode}`}); starting it again`,
    );
    setTimeout(() => {
      if (!this.#isStopping) this.#spawn().catch((error: unknown) => this.#options.warn(String(error)));
    }, RESTART_MS);
  }

  #wasReady(child: ChildProcess): boolean {
    return readyServers.has(child);
  }
}

/** What a server needs of the node's environment, in which there may be secrets. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const needed = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH"];
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => needed.includes(name)));
}

const readyServers = new WeakSet<ChildProcess>();

function untilReady(child: ChildProcess, program: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (why: string): void => {
      clearTimeout(timer);
      const last = said.trim().split("\n").slice(-3).join("\n");
      reject(new KitchenError("KS_UNAVAILABLE", `Cannot start ${program} on port ${port}: ${why}\n${last}`));
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`it was not ready after ${READY_TIMEOUT_MS / 1_000} s`);
    }, READY_TIMEOUT_MS);
    const read = (chunk: Buffer): void => {
      if (readyServers.has(child)) return;
      said = (said + chunk.toString()).slice(-4_096);
      if (!READY.test(said)) return;
      readyServers.add(child);
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => {
      if (!readyServers.has(child))
        fail(signal === null ? `it ended with exit code ${code}` : `it was killed by ${signal}`);
    });
  });
}
