import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOrInstall } from "./programs.ts";

const PROGRAMS = ["valkey-server", "redis-server"];
const DATABASE = 9;

/** A Redis of a test's own. */
export interface TestRedis {
  /** `tcp://127.0.0.1:PORT?db=9` */
  readonly address: string;
  readonly port: number;
  readonly pid: number;
  /** Ends the process and removes its directory. */
  stop(): Promise<void>;
}

interface RedisSettings {
  readonly port?: number;
  /** Further settings: `["--maxmemory", "10mb"]`. */
  readonly args?: readonly string[];
  /** Where it keeps an append-only file, which another Redis can be started from. Without it, nothing is kept on disk. */
  readonly directory?: string;
}

/** Starts a real Redis on a free port of this machine. */
export async function startRedis({
  port: given,
  args = [],
  directory,
}: RedisSettings = {}): Promise<TestRedis> {
  const port = given ?? (await freePort());
  const kept = directory === undefined ? [] : ["--dir", directory, "--appendonly", "yes"];
  const server = await startServer({ args: ["--port", String(port), ...kept, ...args] });
  return { ...server, port, address: `tcp://127.0.0.1:${port}?db=${DATABASE}` };
}

/** A server process and its directory. */
export interface TestServer {
  readonly pid: number;
  readonly directory: string;
  /** Ends the process and removes its directory. */
  stop(): Promise<void>;
}

interface ServerSettings {
  readonly args: readonly string[];
  /** A configuration file, which sentinels write to. */
  readonly file?: string;
  /** What it says when it can be used. */
  readonly ready?: RegExp;
}

/** Starts a server with settings of a test's own; it keeps nothing on disk. */
export async function startServer({
  args,
  file,
  ready = /ready to accept connections/i,
}: ServerSettings): Promise<TestServer> {
  const program = findOrInstall(PROGRAMS, "redis-server");
  const directory = mkdtempSync(join(tmpdir(), "ks-redis-"));
  const first = file === undefined ? [] : [join(directory, "redis.conf")];
  if (first[0] !== undefined) writeFileSync(first[0], file ?? "");
  const settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", directory];
  const all = [...first, ...(file === undefined ? settings : ["--dir", directory]), ...args];
  const child = spawn(program, all, { cwd: directory, stdio: ["ignore", "pipe", "inherit"] });
  // Whatever ends the tests ends it too.
  const remove = (): void => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  process.once("exit", remove);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
    process.off("exit", remove);
    remove();
  };
  try {
    await isReady(child, ready);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid!, directory, stop };
}

/** A port that was free a moment ago: the one wanted, or any. Rejects when that is taken. */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer().listen(wanted, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No free port was found");
  return address.port;
}

function isReady(child: ChildProcess, ready: RegExp): Promise<void> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`The Redis for the test did not start:\n${said}`)));
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (ready.test(said)) resolve();
    });
  });
}
