import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { Redis } from "ioredis";
import { tlsOptions, tlsSettings, type Certificates } from "./certificates.ts";
import { freePort, startServer } from "./redis.ts";
import { until } from "./redis-cluster.ts";

const MASTER_NAME = "mymaster";
const DOWN_AFTER_MS = 400;

/** A master with one replica, watched by one sentinel. */
export interface TestSentinel {
  readonly address: string;
  /** Resolves when the replica has all that was written so far. */
  replicated(): Promise<void>;
  killMaster(): Promise<void>;
  /** Has the replica take over, as one does before work on the master's machine. Resolves when it has been begun. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

interface SentinelShape {
  readonly password: string;
  readonly sentinelPassword: string;
  /** Listen with TLS alone, sentinel and servers. */
  readonly certificates?: Certificates;
}

/** Starts them on free ports of this machine. */
export async function startSentinel({
  password,
  sentinelPassword,
  certificates,
}: SentinelShape): Promise<TestSentinel> {
  const tls = certificates === undefined ? undefined : readTls(certificates);
  const listen = (port: number): Readonly<Record<string, string>> =>
    certificates === undefined
      ? { "--port": String(port) }
      : { "--port": "0", "--tls-replication": "yes", ...tlsSettings(certificates, port) };
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.toReversed()) await stopOne();
  };
  const start = async (
    ...args: string[]
  ): Promise<{ port: number; raw: Redis; kill: () => Promise<void> }> => {
    const port = await freePort();
    const settings = {
      ...listen(port),
      "--repl-diskless-sync-delay": "0",
      "--requirepass": password,
      "--masterauth": password,
    };
    const server = await startServer({ args: [...Object.entries(settings).flat(), ...args] });
    const raw = new Redis({ host: "127.0.0.1", port, password, ...(tls === undefined ? {} : { tls }) });
    // A server that a test kills is no news.
    raw.on("error", () => {});
    stops.push(async () => {
      raw.disconnect();
      await server.stop();
    });
    return { port, raw, kill: server.stop };
  };
  try {
    const master = await start();
    const replica = await start("--replicaof", `127.0.0.1 ${master.port}`);
    await until(async () => (await replica.raw.info("replication")).includes("master_link_status:up"));
    const port = await freePort();
    const sentinel = await startServer({
      args: ["--sentinel"],
      file: [
        ...Object.entries(listen(port)).map(([name, value]) => `${name.slice(2)} ${value}`),
        "bind 127.0.0.1",
        `requirepass ${sentinelPassword}`,
        `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 1`,
        `sentinel auth-pass ${MASTER_NAME} ${password}`,
        `sentinel down-after-milliseconds ${MASTER_NAME} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${MASTER_NAME} 2000`,
      ].join("\n"),
      ready: new RegExp(`\\+slave slave 127.0.0.1:${replica.port}`),
    });
    stops.push(sentinel.stop);
    const scheme = certificates === undefined ? "redis" : "rediss";
    const options = new URLSearchParams({
      db: "9",
      "sentinel-password": sentinelPassword,
      ...(certificates === undefined ? {} : tlsOptions(certificates)),
    });
    return {
      address: `${scheme}+sentinel://:${password}@127.0.0.1:${port}/${MASTER_NAME}?${options.toString()}`,
      replicated: async () => {
        // WAIT is for what its own connection wrote, and so for all before that.
        await master.raw.set("written", "1");
        await until(async () => (await master.raw.call("WAIT", 1, 1_000)) === 1);
      },
      killMaster: master.kill,
      failOver: async () => {
        const asked = new Redis({ host: "127.0.0.1", port, password: sentinelPassword });
        try {
          // It finds no replica good before it has heard of that one's state.
          await until(
            async () => (await asked.call("SENTINEL", "FAILOVER", MASTER_NAME).catch(String)) === "OK",
          );
        } finally {
          asked.disconnect();
        }
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readTls({ ca, client }: Certificates): ConnectionOptions {
  return {
    ca: readFileSync(ca),
    cert: readFileSync(client.cert),
    key: readFileSync(client.key),
    servername: "redis.test",
  };
}
