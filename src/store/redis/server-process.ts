import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { KitchenError, messageOf } from "../../core/errors.ts";
import { isLoading } from "./is-loading.ts";

const PROGRAMS = ["valkey-server", "redis-server"];
const READY = /ready to accept connections/i;
/** After so long without a sign that it starts, it never will. */
const PATIENCE_MS = 10_000;
const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 30_000;
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
  /** How long it may give no sign while it starts, in ms. */
  readonly patienceMs?: number;
}

/** A Redis server that belongs to a node: started with it, started again when it dies, ended with it. */
export class RedisServer {
  readonly #options: RedisServerOptions;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
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
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child?.pid === undefined || hasEnded(child)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      child.once("exit", () => {
        clearTimeout(timer);
        resolve();
      });
      child.kill("SIGTERM");
    });
  }

  async #spawn(): Promise<void> {
    const { program, port, directory, onSpawn, warn, patienceMs = PATIENCE_MS } = this.#options;
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
    const onLoading = (): void => warn("the Redis server still reads its append-only file");
    await untilReady(child, { program, port, patienceMs, onLoading });
    // Whoever waits for it to be ready hears of an earlier end.
    if (hasEnded(child)) this.#ended(child);
    else child.once("exit", () => this.#ended(child));
  }

  #ended({ signalCode, exitCode }: ChildProcess): void {
    if (this.#isStopping) return;
    this.#options.warn(
      `the Redis server ended (${signalCode ?? `exit code ${exitCode}`}); starting it again`,
    );
    this.#startIn(FIRST_RESTART_MS);
  }

  /** Whatever keeps it from starting, a full disk or too little memory, may pass. */
  #startIn(delayMs: number): void {
    this.#restart = setTimeout(() => {
      this.#spawn().catch((error: unknown) => {
        if (this.#isStopping) return;
        const nextMs = Math.min(2 * delayMs, LONGEST_RESTART_MS);
        this.#options.warn(`${messageOf(error)}; trying again in ${nextMs / 1_000} s`);
        this.#startIn(nextMs);
      });
    }, delayMs);
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** What a server needs of the node's environment, in which there may be secrets. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const needed = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH"];
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => needed.includes(name)));
}

interface Waiting {
  readonly program: string;
  readonly port: number;
  readonly patienceMs: number;
  readonly onLoading: () => void;
}

/** Rejects when it ends before it is ready; ends it when it gives no sign that it will be. */
function untilReady(child: ChildProcess, { program, port, patienceMs, onLoading }: Waiting): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    let isSettled = false;
    const settle = (how: () => void): void => {
      isSettled = true;
      clearTimeout(timer);
      how();
    };
    const fail = (why: string): void => {
      const last = said.trim().split("\n").slice(-3).join("\n");
      const error = `Cannot start ${program} on port ${port}: ${why}\n${last}`.trim();
      settle(() => reject(new KitchenError("KS_UNAVAILABLE", error)));
    };
    let wasLoading = false;
    const look = async (): Promise<void> => {
      const isAtWork = await isLoading(port, patienceMs);
      if (isSettled) return;
      if (!isAtWork) {
        child.kill("SIGKILL");
        return fail(`it was not ready after ${patienceMs / 1_000} s`);
      }
      if (!wasLoading) onLoading();
      wasLoading = true;
      timer = setTimeout(() => void look(), patienceMs);
    };
    let timer = setTimeout(() => void look(), patienceMs);
    const read = (chunk: Buffer): void => {
      if (isSettled) return;
      said = (said + chunk.toString()).slice(-4_096);
      if (READY.test(said)) settle(resolve);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) =>
      fail(signal === null ? `it ended with exit code ${code}` : `it was killed by ${signal}`),
    );
  });
}
