import type { ChildProcess } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { RedisServer, type RedisServerOptions } from "../../src/store/redis/server-process.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { findOrInstall } from "./support/programs.ts";
import { freePort } from "./support/redis.ts";

const PROGRAM = findOrInstall(["valkey-server", "redis-server"], "redis-server");
/** So many that Redis, which is told to take its time over each, looks at its clients meanwhile. */
const KEYS = 6_000;

interface OwnServer {
  readonly server: RedisServer;
  readonly port: number;
  readonly children: readonly ChildProcess[];
  readonly warnings: readonly string[];
}

async function started(
  options: Pick<RedisServerOptions, "program" | "directory" | "patienceMs">,
): Promise<OwnServer> {
  const port = await freePort();
  const children: ChildProcess[] = [];
  const warnings: string[] = [];
  const server = await RedisServer.start({
    ...options,
    port,
    onSpawn: (child) => children.push(child),
    warn: (message) => warnings.push(message),
  });
  onTestFinished(() => server.stop());
  return { server, port, children, warnings };
}

/** A program that does this and then becomes a Redis with `settings`. */
function redisBehind(directory: string, { first = "", settings = "" }): string {
  const program = join(directory, "redis");
  writeFileSync(program, `#!/bin/sh\n${first}\nexec "${PROGRAM}" "$@" ${settings}\n`);
  chmodSync(program, 0o700);
  return program;
}

async function keysAt(port: number): Promise<number> {
  const redis = new Redis({ port, host: "127.0.0.1" });
  // It is asked before it is there, too.
  redis.on("error", () => {});
  const keys = await redis.dbsize();
  redis.disconnect();
  return keys;
}

test("a Redis that takes long to read its file is waited for", async () => {
  const directory = temporaryDirectory();
  const sets = Array.from({ length: KEYS }, (_, at) => command("SET", `key${at}`, "value"));
  writeFileSync(join(directory, "appendonly.aof"), sets.join(""));
  const program = redisBehind(directory, { settings: "--key-load-delay 500" });
  const { port, children, warnings } = await started({ program, directory, patienceMs: 1_000 });
  expect(children).toHaveLength(1);
  expect(await keysAt(port)).toBe(KEYS);
  expect(warnings).toEqual(["the Redis server still reads its append-only file"]);
});

test("a Redis that dies and cannot be started again at once is started when it can", async () => {
  const directory = temporaryDirectory();
  const obstacle = join(directory, "obstacle");
  const program = redisBehind(directory, { first: `[ -e "${obstacle}" ] && exit 1` });
  const { port, children, warnings } = await started({ program, directory });
  writeFileSync(obstacle, "");
  children[0]?.kill("SIGKILL");
  await expect.poll(() => warnings, { timeout: 10_000 }).toHaveLength(2);
  expect(warnings[1]).toMatch(/^Cannot start .* exit code 1.*trying again in 1 s$/s);
  rmSync(obstacle);
  await expect.poll(() => keysAt(port), { timeout: 10_000 }).toBe(0);
});

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}
